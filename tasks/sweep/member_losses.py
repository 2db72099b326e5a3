"""Losses of each member's rows: the formulas of `tasks.training.losses`, whose settings differ.

Shapes: M members, B batch, C classes. A batch that all members share has M = 1.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tasks.training.hints import HintLoss
from tasks.training.losses import DistilLoss, LabelLoss, Loss, NumberLoss

MemberLoss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""Of logits [M, B, C], labels and a teacher's logits: [M, B]."""


def member_loss(losses: Sequence[Loss | HintLoss], device: torch.device) -> MemberLoss:
    """The members' losses as one; they are of one kind."""

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, device=device).unsqueeze(1)

    numbers = [loss for loss in losses if isinstance(loss, NumberLoss)]
    if numbers:
        return _number_loss(column([loss.weight for loss in numbers]))
    labelled = [loss for loss in losses if isinstance(loss, LabelLoss | DistilLoss)]
    hard = _label_loss(column([loss.smoothing for loss in labelled]))
    distils = [loss for loss in labelled if isinstance(loss, DistilLoss)]
    if not distils:
        return hard
    weights = column([loss.weight for loss in distils])
    return _distil_loss(hard, weights, column([loss.temperature for loss in distils]))


def _label_loss(smoothing_M1: Tensor) -> MemberLoss:
    is_smoothed = bool(smoothing_M1.any())

    def loss(logits_MBC: Tensor, labels_MB: Tensor, teacher: Tensor | None) -> Tensor:
        del teacher
        likelihoods_CMB = _log_softmax(logits_MBC)
        if labels_MB.is_floating_point():  # shares of each class, of rows that were mixed
            hard_MB = -(likelihoods_CMB * labels_MB.permute(2, 0, 1)).sum(0)
        else:
            labels_1MB = labels_MB.expand(logits_MBC.shape[:2]).unsqueeze(0)
            hard_MB = -likelihoods_CMB.gather(0, labels_1MB).squeeze(0)
        if not is_smoothed:
            return hard_MB
        return torch.lerp(hard_MB, -likelihoods_CMB.mean(0), smoothing_M1.expand_as(hard_MB))

    return loss


def _log_softmax(logits_MBC: Tensor) -> Tensor:
    """Log likelihoods [C, M, B].

    Classes come first: over few numbers in the last place it took 30 times as long, a fifth of a
    step (tests/benchmarks/2026-11-25_vectorised_trials.md).
    """
    return functional.log_softmax(logits_MBC.float().permute(2, 0, 1), dim=0)


def _distil_loss(hard: MemberLoss, weights_M1: Tensor, temperatures_M1: Tensor) -> MemberLoss:
    hotness_M11 = temperatures_M1.unsqueeze(-1)

    def loss(logits_MBC: Tensor, labels_MB: Tensor, teacher_MBC: Tensor | None) -> Tensor:
        assert teacher_MBC is not None, "a distillation needs the teacher's logits"
        student_CMB = _log_softmax(logits_MBC / hotness_M11)
        target_CMB = _log_softmax(teacher_MBC / hotness_M11)
        divergence = (target_CMB.exp() * (target_CMB - student_CMB)).sum(0)
        soft_MB = divergence * temperatures_M1**2
        return weights_M1 * soft_MB + (1.0 - weights_M1) * hard(logits_MBC, labels_MB, None)

    return loss


def _number_loss(weights_M1: Tensor) -> MemberLoss:
    is_taught = bool(weights_M1.any())

    def loss(logits_MBC: Tensor, labels_MB: Tensor, teacher_MBC: Tensor | None) -> Tensor:
        found_MB = logits_MBC[..., 0].float()
        hard_MB = (found_MB - labels_MB) ** 2
        if not is_taught:
            return hard_MB
        assert teacher_MBC is not None, "a distillation needs the teacher's answers"
        soft_MB = (found_MB - teacher_MBC[..., 0].float()) ** 2
        return weights_M1 * soft_MB + (1.0 - weights_M1) * hard_MB

    return loss
