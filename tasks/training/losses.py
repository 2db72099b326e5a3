"""Losses for each row. A distillation is another loss, not another loop.

Shapes: B batch, C classes.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from tasks.training.token_losses import TokenLoss


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelLoss:
    """Cross entropy with the labels, each softened by `smoothing` (arXiv:1512.00567)."""

    smoothing: float = 0.0

    def __call__(self, logits_BC: Tensor, labels_B: Tensor, teacher_BC: Tensor | None) -> Tensor:
        """Loss of each row, [B]; a teacher is not listened to."""
        del teacher_BC
        return functional.cross_entropy(
            logits_BC.float(), labels_B, reduction="none", label_smoothing=self.smoothing
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DistilLoss:
    """`weight` of the teacher's softened answer, the labels have the rest (arXiv:1503.02531)."""

    temperature: float
    weight: float
    smoothing: float = 0.0

    def __call__(self, logits_BC: Tensor, labels_B: Tensor, teacher_BC: Tensor | None) -> Tensor:
        """Loss of each row, [B]."""
        assert teacher_BC is not None, "a distillation needs the teacher's logits"
        hard_B = functional.cross_entropy(
            logits_BC.float(), labels_B, reduction="none", label_smoothing=self.smoothing
        )
        soft_B = soft_target_loss(logits_BC, teacher_BC, self.temperature)
        return self.weight * soft_B + (1.0 - self.weight) * hard_B


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberLoss:
    """Squared error of a standard score; `weight` of it against the teacher's, if there is one."""

    weight: float = 0.0

    def __call__(self, logits_BC: Tensor, labels_B: Tensor, teacher_BC: Tensor | None) -> Tensor:
        """Loss of each row, [B]."""
        found_B = logits_BC[:, 0].float()
        hard_B = functional.mse_loss(found_B, labels_B, reduction="none")
        if not self.weight:
            return hard_B
        assert teacher_BC is not None, "a distillation needs the teacher's answers"
        soft_B = functional.mse_loss(found_B, teacher_BC[:, 0].float(), reduction="none")
        return self.weight * soft_B + (1.0 - self.weight) * hard_B


Loss = LabelLoss | DistilLoss | NumberLoss | TokenLoss


def soft_target_loss(logits_BC: Tensor, teacher_BC: Tensor, temperature: float) -> Tensor:
    """KL divergence from the teacher's softened answer, [B].

    Times T^2, so that its gradient keeps its size whatever the temperature (section 2).
    """
    student_BC = functional.log_softmax(logits_BC.float() / temperature, dim=-1)
    target_BC = functional.log_softmax(teacher_BC.float() / temperature, dim=-1)
    divergence_BC = functional.kl_div(student_BC, target_BC, reduction="none", log_target=True)
    return divergence_BC.sum(-1) * temperature**2
