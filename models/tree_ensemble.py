"""A sum of decision trees, as tensors: what gradient boosting fits, in a form that exports.

Every tree is walked at once: each row stands at one node of each tree, and takes as many steps as
the deepest tree has levels; a leaf leads to itself. Shapes: B batch, K numbers, M categories,
T trees (one for each class of a round, or one a round for two classes), N nodes, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeEnsembleConfig:
    """Shape of the ensemble."""

    num_classes: int
    trees: int
    nodes: int
    """Of the largest tree; smaller ones are padded with leaves of value 0."""
    depth: int


class TreeEnsemble(nn.Module):
    """A row to class logits."""

    def __init__(self, config: TreeEnsembleConfig) -> None:
        super().__init__()
        self.config = config
        shape = (config.trees, config.nodes)
        self.feature = _fixed(torch.zeros(shape, dtype=torch.int32))
        self.child = _fixed(torch.zeros((*shape, 2), dtype=torch.int32))
        """Left and right; a leaf is its own."""
        self.threshold = _fixed(torch.zeros(shape))
        self.value = _fixed(torch.zeros(shape))
        self.bias = _fixed(torch.zeros(config.num_classes))

    def forward(self, numbers: Tensor, categories: Tensor | None = None) -> Tensor:
        """Logits [B, C]; ids of categories are numbers like others."""
        inputs = [numbers] if categories is None else [numbers, categories.to(numbers.dtype)]
        row_BF = torch.cat(inputs, dim=1)
        start_T = torch.arange(self.config.trees, device=numbers.device) * self.config.nodes
        # Not len(numbers): the exporter would write it down as a constant.
        node_BT = start_T + torch.zeros_like(row_BF[:, :1], dtype=torch.long)
        feature, threshold = self.feature.flatten().long(), self.threshold.flatten()
        child = self.child.flatten().long()
        for _ in range(self.config.depth):
            seen_BT = row_BF.gather(1, feature[node_BT])
            is_right_BT = (seen_BT > threshold[node_BT]).long()
            node_BT = start_T + child[2 * node_BT + is_right_BT]
        return self._summed(self.value.flatten()[node_BT])

    def _summed(self, leaf_BT: Tensor) -> Tensor:
        """Trees stand round by round: their classes take turns."""
        if self.config.num_classes == 2:
            score_B1 = leaf_BT.sum(1, keepdim=True)
            return torch.cat([torch.zeros_like(score_B1), score_B1], dim=1) + self.bias
        num_rounds = self.config.trees // self.config.num_classes
        rounds_BRC = leaf_BT.view(-1, num_rounds, self.config.num_classes)
        return rounds_BRC.sum(1) + self.bias


def _fixed(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values, requires_grad=False)
