"""A multilayer perceptron over the rows of a table.

Shapes: B batch, K numbers, M categories, C classes.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from models.table_rows import TableInput


@dataclass(frozen=True, kw_only=True, slots=True)
class MlpConfig:
    """Shape of the network."""

    num_classes: int
    numbers: int
    categories: tuple[int, ...] = ()
    """Ids of each category, missing and unknown included."""
    buckets: int = 0
    """Of the n-grams of free text; 0 where no column holds any."""
    hidden: tuple[int, ...] = (64, 32)
    dropout: float = 0.0


class Mlp(nn.Module):
    """A row to class logits."""

    def __init__(self, config: MlpConfig) -> None:
        super().__init__()
        self.config = config
        self.input = TableInput(config.numbers, config.categories, config.buckets)
        widths = [self.input.width, *config.hidden]
        rungs = [
            nn.Sequential(nn.Linear(narrow, wide), nn.ReLU(), nn.Dropout(config.dropout))
            for narrow, wide in pairwise(widths)
        ]
        self.body = nn.Sequential(*rungs)
        self.head = nn.Linear(widths[-1], config.num_classes)

    def forward(
        self,
        numbers: Tensor,
        categories: Tensor | None = None,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, C] from numbers [B, K], category ids [B, M] and n-grams [B, N] of texts."""
        logits_BC: Tensor = self.head(
            self.body(self.input(numbers, categories, input_ids, attention_mask))
        )
        return logits_BC
