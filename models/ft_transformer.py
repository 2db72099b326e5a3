"""FT-Transformer (Gorishniy et al. 2021, arXiv:2106.11959, section 3.3): a token for each column.

Shapes: B batch, K numbers, M categories, T tokens, H heads, D width, d width of a head, C classes.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.table_rows import TEXT_WIDTH, TextBag


@dataclass(frozen=True, kw_only=True, slots=True)
class FtTransformerConfig:
    """Shape of the network."""

    num_classes: int
    numbers: int
    categories: tuple[int, ...] = ()
    """Ids of each category, missing and unknown included."""
    buckets: int = 0
    """Of the n-grams of free text; 0 where no column holds any."""
    blocks: int = 2
    width: int = 64
    heads: int = 4
    dropout: float = 0.1
    head_width: int | None = None
    """Numbers of a head, where heads were removed; None: the width divided among them."""
    feed_forward: int | None = None
    """Gated neurons of a block; None: four thirds of the width."""

    def __post_init__(self) -> None:
        """ValueError when the heads do not divide the width."""
        if self.head_width is None and self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}")

    @property
    def numbers_per_head(self) -> int:
        """Width of a head."""
        return self.head_width or self.width // self.heads

    @property
    def neurons(self) -> int:
        """Gated neurons of a block."""
        return self.feed_forward or self.width * 4 // 3


class FtTransformer(nn.Module):
    """A row to class logits."""

    def __init__(self, config: FtTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = FeatureTokenizer(config)
        self.blocks = nn.Sequential(
            *(TransformerBlock(config, is_first=index == 0) for index in range(config.blocks))
        )
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
        tokens_BTD = self.tokens(numbers, categories, input_ids, attention_mask)
        row_BD = self.blocks(tokens_BTD)[:, 0]
        logits_BC: Tensor = self.head(functional.relu(self.norm(row_BD)))
        return logits_BC


class FeatureTokenizer(nn.Module):
    """A vector for the row, then one for each number, category and bag of texts (figure 2)."""

    def __init__(self, config: FtTransformerConfig) -> None:
        super().__init__()
        width, columns = config.width, config.numbers + len(config.categories)
        self.row = _drawn(1, width)
        self.slope = _drawn(config.numbers, width)
        self.bias = _drawn(columns, width)
        self.tables = nn.ModuleList(nn.Embedding(ids, width) for ids in config.categories)
        for table in self.tables:
            nn.init.uniform_(table.weight, -(width**-0.5), width**-0.5)  # type: ignore[arg-type]
        self.text = TextBag(config.buckets) if config.buckets else None
        self.widen = nn.Linear(TEXT_WIDTH, width) if config.buckets else None

    def forward(
        self,
        numbers: Tensor,
        categories: Tensor | None,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
    ) -> Tensor:
        """[B, T, D]"""
        columns = [numbers.unsqueeze(-1) * self.slope]
        if categories is not None:
            columns += [table(categories[:, i : i + 1]) for i, table in enumerate(self.tables)]
        row_B1D = torch.zeros_like(numbers[:, :1]).unsqueeze(-1) + self.row
        tokens = [row_B1D, torch.cat(columns, dim=1) + self.bias]
        if self.text is not None and self.widen is not None:
            tokens.append(self.widen(self.text(input_ids, attention_mask)).unsqueeze(1))
        return torch.cat(tokens, dim=1)


class TransformerBlock(nn.Module):
    """Normalise, attend, add; normalise, gated feed-forward, add.

    The first does not normalise before it attends: better, says the paper.
    """

    def __init__(self, config: FtTransformerConfig, is_first: bool) -> None:
        super().__init__()
        width, self.heads, self.head_width = config.width, config.heads, config.numbers_per_head
        self.attention_norm = nn.Identity() if is_first else nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * self.heads * self.head_width)
        self.output = nn.Linear(self.heads * self.head_width, width)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * config.neurons)
        self.contract = nn.Linear(config.neurons, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens_BTD: Tensor) -> Tensor:
        """[B, T, D]"""
        attended_BTD = self.output(self._mixed(self.attention_norm(tokens_BTD)))
        tokens_BTD = tokens_BTD + self.dropout(attended_BTD)
        value, gate = self.expand(self.norm(tokens_BTD)).chunk(2, dim=-1)
        gated = self.dropout(value * functional.relu(gate))  # ReGLU (arXiv:2002.05202)
        output_BTD: Tensor = tokens_BTD + self.contract(gated)
        return output_BTD

    def _mixed(self, tokens_BTD: Tensor) -> Tensor:
        batch, tokens, _ = tokens_BTD.shape
        qkv_BTD = self.query_key_value(tokens_BTD)
        qkv_3BHTd = qkv_BTD.view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query_BHTd, key_BHTd, value_BHTd = qkv_3BHTd.unbind(0)
        score_BHTT = query_BHTd @ key_BHTd.transpose(-1, -2) / math.sqrt(self.head_width)
        weight_BHTT = self.dropout(score_BHTT.softmax(-1)).to(value_BHTd.dtype)
        mixed_BTHd = (weight_BHTT @ value_BHTd).transpose(1, 2)
        mixed_BTD: Tensor = mixed_BTHd.reshape(batch, tokens, self.heads * self.head_width)
        return mixed_BTD


def _drawn(count: int, width: int) -> nn.Parameter:
    """Uniform within one over the root of the width, as the paper's code starts."""
    return nn.Parameter(torch.empty(count, width).uniform_(-(width**-0.5), width**-0.5))
