"""Distillation against its definition, and golden values."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, rel_entr, softmax

from tasks.training.losses import DistilLoss, LabelLoss, soft_target_loss

LOGITS = torch.tensor([[1.0, 0.0, -1.0], [0.2, 0.1, 0.0]])
TEACHER = torch.tensor([[2.0, 0.0, -2.0], [0.0, 3.0, 0.0]])
LABELS = torch.tensor([0, 1])


def test_soft_target_loss_is_the_divergence_times_the_squared_temperature() -> None:
    target, answer = (TEACHER / 2).softmax(-1), (LOGITS / 2).softmax(-1)
    expected = 4 * (target * (target / answer).log()).sum(-1)
    assert torch.allclose(soft_target_loss(LOGITS, TEACHER, 2.0), expected, atol=1e-6)


def test_losses_by_scipy() -> None:
    logits, teacher = LOGITS.double().numpy(), TEACHER.double().numpy()
    truth = np.eye(3)[LABELS.numpy()]
    hard = -(truth * log_softmax(logits, axis=1)).sum(1)
    np.testing.assert_allclose(LabelLoss()(LOGITS, LABELS, None).numpy(), hard, rtol=1e-5)
    soft = 9 * rel_entr(softmax(teacher / 3, axis=1), softmax(logits / 3, axis=1)).sum(1)
    smooth = -((0.7 * truth + 0.1) * log_softmax(logits, axis=1)).sum(1)
    mixed = DistilLoss(temperature=3.0, weight=0.6, smoothing=0.3)(LOGITS, LABELS, TEACHER)
    np.testing.assert_allclose(mixed.numpy(), 0.6 * soft + 0.4 * smooth, rtol=1e-5)


def test_a_student_that_answers_like_its_teacher_has_no_soft_loss() -> None:
    assert soft_target_loss(TEACHER, TEACHER, 3.0).abs().max() < 1e-6


def test_weight_divides_the_loss_between_teacher_and_labels() -> None:
    hard = LabelLoss()(LOGITS, LABELS, None)
    soft = soft_target_loss(LOGITS, TEACHER, 2.0)
    mixed = DistilLoss(temperature=2.0, weight=0.8)(LOGITS, LABELS, TEACHER)
    assert torch.allclose(mixed, 0.8 * soft + 0.2 * hard)
    without = DistilLoss(temperature=2.0, weight=0.0)(LOGITS, LABELS, TEACHER)
    assert torch.allclose(without, hard)


def test_golden_losses() -> None:
    mixed = DistilLoss(temperature=2.0, weight=0.8)(LOGITS, LABELS, TEACHER)
    assert mixed.tolist() == pytest.approx([0.27438179, 1.07677853], abs=1e-6)


def test_a_distillation_without_a_teacher_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="needs the teacher's logits"):
        DistilLoss(temperature=2.0, weight=0.8)(LOGITS, LABELS, None)
