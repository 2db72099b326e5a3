"""A linear model over weighted terms: what TF-IDF and logistic regression come to.

Shapes: B batch, N terms of the longest row, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.ngram_bag import weighted_bag


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightedBagConfig:
    """Shape of the model."""

    num_classes: int
    terms: int


class WeightedBag(nn.Module):
    """Term ids and their weights to class logits."""

    def __init__(self, config: WeightedBagConfig) -> None:
        super().__init__()
        self.config = config
        self.table = nn.Embedding(config.terms, config.num_classes)
        self.bias = nn.Parameter(torch.zeros(config.num_classes))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [B, C] from ids [B, N] and float weights [B, N] that are 0 on padding."""
        logits_BC: Tensor = weighted_bag(self.table.weight, input_ids, attention_mask) + self.bias
        return logits_BC
