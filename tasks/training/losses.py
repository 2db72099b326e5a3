"""Losses for each row. A distillation is another loss, not another loop.

Shapes: B batch, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from tasks.training.absent import UNLABELLED
from tasks.training.token_losses import TokenLoss


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelLoss:
    """Cross entropy with the labels, each softened by `smoothing` (arXiv:1512.00567)."""

    smoothing: float = 0.0

    def __call__(self, logits_BC: Tensor, labels_B: Tensor, teacher_BC: Tensor | None) -> Tensor:
        """Loss of each row, [B]; a teacher is not listened to."""
        del teacher_BC
        return label_loss(logits_BC, labels_B, self.smoothing)


@dataclass(frozen=True, kw_only=True, slots=True)
class DistilLoss:
    """`weight` of the teacher's softened answer, the labels have the rest (arXiv:1503.02531).

    What has no label is learned from the teacher's term alone.
    """

    temperature: float
    weight: float
    smoothing: float = 0.0

    def __call__(self, logits_BC: Tensor, labels_B: Tensor, teacher_BC: Tensor | None) -> Tensor:
        """Loss of each row, [B]."""
        assert teacher_BC is not None, "a distillation needs the teacher's logits"
        hard_B = label_loss(logits_BC, labels_B, self.smoothing)
        soft_B = soft_target_loss(logits_BC, teacher_BC, self.temperature)
        return self.weight * soft_B + (1.0 - self.weight) * hard_B


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberLoss:
    """Squared error of a standard score; `weight` of it against the teacher's, if there is one."""

    weight: float = 0.0

    def __call__(self, logits_BC: Tensor, labels_B: Tensor, teacher_BC: Tensor | None) -> Tensor:
        """Loss of each row, [B]."""
        found_B = logits_BC[:, 0].float()
        # Without a label a row is right whatever is said, and its gradient 0.
        labels_B = torch.where(labels_B.isnan(), found_B.detach(), labels_B)
        hard_B = functional.mse_loss(found_B, labels_B, reduction="none")
        if not self.weight:
            return hard_B
        assert teacher_BC is not None, "a distillation needs the teacher's answers"
        soft_B = functional.mse_loss(found_B, teacher_BC[:, 0].float(), reduction="none")
        return self.weight * soft_B + (1.0 - self.weight) * hard_B


Loss = LabelLoss | DistilLoss | NumberLoss | TokenLoss


def label_loss(logits_BC: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Cross entropy with classes [B], or with shares of each [B, C] of rows that were mixed.

    0 for a row without a label, whose class is `UNLABELLED` and whose shares are all 0.
    """
    if labels.is_floating_point() and smoothing:
        # torch's own smoothing would ask a row without a label for equal shares.
        even_BC = labels.sum(-1, keepdim=True) / labels.shape[-1]
        labels, smoothing = torch.lerp(labels, even_BC.expand_as(labels), smoothing), 0.0
    return functional.cross_entropy(
        logits_BC.float(),
        labels,
        reduction="none",
        ignore_index=UNLABELLED,
        label_smoothing=smoothing,
    )


def soft_target_loss(logits_BC: Tensor, teacher_BC: Tensor, temperature: float) -> Tensor:
    """KL divergence from the teacher's softened answer, [B].

    Times T^2, so that its gradient keeps its size whatever the temperature (section 2).
    """
    student_BC = functional.log_softmax(logits_BC.float() / temperature, dim=-1)
    target_BC = functional.log_softmax(teacher_BC.float() / temperature, dim=-1)
    divergence_BC = functional.kl_div(student_BC, target_BC, reduction="none", log_target=True)
    return divergence_BC.sum(-1) * temperature**2
