"""Vectors of users and items, by id; id 0 is whoever training did not meet.

Shapes: B batch, D width. Vectors are plain matrices, so that weight decay shrinks them: what a few
rows say of an id counts little, which is the ridge of Koren et al. 2009. It leaves biases alone.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class IdTable(nn.Module):
    """A vector for each id. While training, some ids are taken for 0, which so learns the mean."""

    def __init__(self, ids: int, width: int, hidden: float = 0.0, spread: float = 0.1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(ids, width) * spread)
        self.hidden = hidden
        """Share of the ids that are taken for 0, drawn anew for each row."""

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors [B, D] of the ids [B]."""
        return functional.embedding(ids, self.weight)

    def some_hidden(self, ids: Tensor) -> Tensor:
        """The ids, in training with some of them hidden; the draws are torch's own."""
        if not (self.training and self.hidden):
            return ids
        kept = torch.rand(ids.shape, device=ids.device) >= self.hidden
        return ids * kept


def biases(ids: int) -> nn.Embedding:
    """A number for each id, 0 at first."""
    table = nn.Embedding(ids, 1)
    nn.init.zeros_(table.weight)
    return table
