"""What every network for tables starts with: numbers beside embedded categories and texts.

Shapes: B batch, K numbers, M categories, N n-grams of the longest row, D width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.ngram_bag import weighted_bag

TEXT_WIDTH = 32


def embedding_width(values: int) -> int:
    """Half of the values, at most 50 (Guo and Berkhahn 2016, arXiv:1604.06737)."""
    return min(50, (values + 1) // 2)


class TableInput(nn.Module):
    """Numbers [B, K], category ids [B, M] and n-grams [B, N] of texts to one vector [B, D]."""

    def __init__(self, numbers: int, categories: Sequence[int], buckets: int = 0) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(n, embedding_width(n)) for n in categories)
        self.width = numbers + sum(embedding_width(n) for n in categories)
        for table in self.tables:
            nn.init.normal_(table.weight, std=0.1)  # type: ignore[arg-type]
        self.text = TextBag(buckets) if buckets else None
        if buckets:
            self.width += TEXT_WIDTH

    def forward(
        self,
        numbers: Tensor,
        categories: Tensor | None,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """All side by side."""
        parts = [numbers]
        if categories is not None:
            parts += [table(categories[:, i]) for i, table in enumerate(self.tables)]
        if self.text is not None:
            parts.append(self.text(input_ids, attention_mask))
        return torch.cat(parts, dim=1) if len(parts) > 1 else numbers


class TextBag(nn.Module):
    """Embedded n-grams, summed and normalised (fastText, arXiv:1607.01759)."""

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self.table = nn.Embedding(buckets, TEXT_WIDTH)
        self.norm = nn.LayerNorm(TEXT_WIDTH)
        nn.init.normal_(self.table.weight, std=0.1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """One vector a row, [B, D]; the mask [B, N] is 0 on padding."""
        bag_BD: Tensor = self.norm(weighted_bag(self.table.weight, input_ids, attention_mask))
        return bag_BD
