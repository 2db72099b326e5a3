"""A bag of hashed n-grams (fastText, arXiv:1607.01759): weighted embedding sum and a small MLP.

Shapes: B batch, N n-grams of the longest row, W width, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, kw_only=True, slots=True)
class NgramBagConfig:
    """Shape of the bag."""

    num_classes: int
    buckets: int = 1 << 16
    width: int = 64
    hidden: int = 64
    dropout: float = 0.3


class NgramBag(nn.Module):
    """Hashed n-gram ids and their weights to class logits."""

    def __init__(self, config: NgramBagConfig) -> None:
        super().__init__()
        self.config = config
        self.table = nn.Embedding(config.buckets, config.width)
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.expand = nn.Linear(config.width, config.hidden)
        self.head = nn.Linear(config.hidden, config.num_classes)
        nn.init.normal_(self.table.weight, std=0.1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [B, C] from ids [B, N] and float weights [B, N] that are 0 on padding."""
        bag_BW = weighted_bag(self.table.weight, input_ids, attention_mask)
        hidden_BW = functional.relu(self.expand(self.dropout(self.norm(bag_BW))))
        logits_BC: Tensor = self.head(self.dropout(hidden_BW))
        return logits_BC


def weighted_bag(table: Tensor, input_ids: Tensor, weights_BN: Tensor) -> Tensor:
    """Weighted sum of table rows, [B, W]."""
    if torch.onnx.is_in_onnx_export():
        # Gather and a product export as two plain operators; embedding_bag does not export.
        gathered_BNW = functional.embedding(input_ids, table)
        return (gathered_BNW * weights_BN.unsqueeze(-1)).sum(1)
    return functional.embedding_bag(
        input_ids, table, per_sample_weights=weights_BN.to(table.dtype), mode="sum"
    )
