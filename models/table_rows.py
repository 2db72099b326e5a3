"""What every network for tables starts with: numbers beside embedded categories.

Shapes: B batch, K numbers, M categories, D width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def embedding_width(values: int) -> int:
    """Half of the values, at most 50 (Guo and Berkhahn 2016, arXiv:1604.06737)."""
    return min(50, (values + 1) // 2)


class TableInput(nn.Module):
    """Numbers [B, K] and category ids [B, M] to one vector [B, D]."""

    def __init__(self, numbers: int, categories: Sequence[int]) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(n, embedding_width(n)) for n in categories)
        self.width = numbers + sum(embedding_width(n) for n in categories)
        for table in self.tables:
            nn.init.normal_(table.weight, std=0.1)  # type: ignore[arg-type]

    def forward(self, numbers: Tensor, categories: Tensor | None) -> Tensor:
        """Both side by side."""
        if categories is None:
            return numbers
        looked_up = [table(categories[:, i]) for i, table in enumerate(self.tables)]
        return torch.cat([numbers, *looked_up], dim=1)
