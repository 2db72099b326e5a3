"""The same items for everybody: what most users met. Shapes: B batch, C items."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, slots=True)
class PopularityConfig:
    """Shape of the model."""

    num_classes: int


class Popularity(nn.Module):
    """A user to a score for each item."""

    def __init__(self, config: PopularityConfig) -> None:
        super().__init__()
        self.config = config
        self.scores = nn.Parameter(torch.zeros(config.num_classes))

    def forward(self, user: Tensor) -> Tensor:
        """Scores [B, C] for users [B], whoever they are."""
        # Not len(user): the exporter would write it down as a constant.
        nothing_B1 = torch.zeros_like(user, dtype=self.scores.dtype).unsqueeze(1)
        return nothing_B1 + self.scores
