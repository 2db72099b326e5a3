"""Losses of each member's rows: the formulas of `tasks.training.losses`, whose settings differ.

Shapes: M members, B batch, C classes. A batch that all members share has M = 1.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tasks.training.losses import DistilLoss, LabelLoss, Loss, NumberLoss

MemberLoss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""Of logits [M, B, C], labels and a teacher's logits: [M, B]."""


def member_loss(losses: Sequence[Loss], device: torch.device) -> MemberLoss:
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
        likelihoods_MBC = functional.log_softmax(logits_MBC.float(), dim=-1)
        if labels_MB.is_floating_point():  # shares of each class
            hard_MB = -(likelihoods_MBC * labels_MB).sum(-1)
        else:
            labels_MB1 = labels_MB.expand(logits_MBC.shape[:2]).unsqueeze(-1)
            hard_MB = -likelihoods_MBC.gather(-1, labels_MB1).squeeze(-1)
        if not is_smoothed:
            return hard_MB
        return torch.lerp(hard_MB, -likelihoods_MBC.mean(-1), smoothing_M1.expand_as(hard_MB))

    return loss


def _distil_loss(hard: MemberLoss, weights_M1: Tensor, temperatures_M1: Tensor) -> MemberLoss:
    hotness_M11 = temperatures_M1.unsqueeze(-1)

    def loss(logits_MBC: Tensor, labels_MB: Tensor, teacher_MBC: Tensor | None) -> Tensor:
        assert teacher_MBC is not None, "a distillation needs the teacher's logits"
        student = functional.log_softmax(logits_MBC.float() / hotness_M11, dim=-1)
        target = functional.log_softmax(teacher_MBC.float() / hotness_M11, dim=-1)
        divergence = (target.exp() * (target - student)).sum(-1)
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
