"""Figures against numbers worked out by hand."""

import numpy as np
import pytest

from tasks.evaluation.metrics import calibration_error, confusion_of, quality_of

CLASSES = ("a", "b", "c")
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]], np.float32
)
LABELS = np.array([0, 1, 1, 1])


def test_figures_by_hand() -> None:
    figures = quality_of(PROBABILITIES, LABELS, CLASSES)
    assert figures["accuracy"] == 0.75
    assert figures["precision/a"] == 0.5
    assert figures["recall/b"] == pytest.approx(2 / 3)
    assert figures["f1/b"] == pytest.approx(0.8)
    assert figures["f1/c"] == 0
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 0.8 + 0) / 3)
    expected = -np.log([0.8, 0.3, 0.7, 0.8]).mean()
    assert figures["log_loss"] == pytest.approx(expected, rel=1e-5)


def test_every_figure_has_its_documented_name() -> None:
    by_class = {f"{kind}/{name}" for kind in ("precision", "recall", "f1") for name in CLASSES}
    named = {"accuracy", "macro_f1", "log_loss", "calibration_error"}
    assert set(quality_of(PROBABILITIES, LABELS, CLASSES)) == named | by_class


def test_confusion_has_true_classes_as_rows() -> None:
    assert confusion_of(PROBABILITIES, LABELS) == ((1, 0, 0), (1, 2, 0), (0, 0, 0))


@pytest.mark.parametrize(
    ("confidence", "right", "error"),
    [(0.75, 75, 0.0), (0.75, 50, 0.25), (1.0, 100, 0.0), (1.0, 0, 1.0)],
    ids=["calibrated", "too sure", "sure and right", "sure and wrong"],
)
def test_calibration_error_is_confidence_minus_accuracy(
    confidence: float, right: int, error: float
) -> None:
    probabilities = np.tile(np.array([confidence, 1 - confidence], np.float32), (100, 1))
    labels = np.array([0] * right + [1] * (100 - right))
    assert calibration_error(probabilities, labels) == pytest.approx(error, abs=1e-6)
