"""ResNet for tables (Gorishniy et al. 2021, arXiv:2106.11959, section 3.2).

Shapes: B batch, K numbers, M categories, D width, C classes. Layer normalisation stands where the
paper has batch normalisation: it has no statistics to carry between workers and resumed runs.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from models.table_rows import TableInput


@dataclass(frozen=True, kw_only=True, slots=True)
class TableResNetConfig:
    """Shape of the network."""

    num_classes: int
    numbers: int
    categories: tuple[int, ...] = ()
    """Ids of each category, missing and unknown included."""
    buckets: int = 0
    """Of the n-grams of free text; 0 where no column holds any."""
    blocks: int = 3
    width: int = 192
    dropout: float = 0.1
    inner: int | None = None
    """Neurons of a block, where some were removed; None: twice the width."""


class TableResNet(nn.Module):
    """A row to class logits."""

    def __init__(self, config: TableResNetConfig) -> None:
        super().__init__()
        self.config = config
        self.input = TableInput(config.numbers, config.categories, config.buckets)
        self.first = nn.Linear(self.input.width, config.width)
        self.blocks = nn.Sequential(*(ResidualBlock(config) for _ in range(config.blocks)))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.num_classes)

    def forward(
        self,
        numbers: Tensor,
        categories: Tensor | None = None,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, C] from numbers [B, K], category ids [B, M] and n-grams [B, N] of texts."""
        hidden_BD = self.blocks(
            self.first(self.input(numbers, categories, input_ids, attention_mask))
        )
        logits_BC: Tensor = self.head(functional.relu(self.norm(hidden_BD)))
        return logits_BC


class ResidualBlock(nn.Module):
    """Normalise, widen, narrow, add."""

    def __init__(self, config: TableResNetConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        inner = config.inner or 2 * config.width
        self.expand = nn.Linear(config.width, inner)
        self.contract = nn.Linear(inner, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden_BD: Tensor) -> Tensor:
        """A vector of the same width, [B, D]."""
        expanded = self.dropout(functional.relu(self.expand(self.norm(hidden_BD))))
        output_BD: Tensor = hidden_BD + self.dropout(self.contract(expanded))
        return output_BD
