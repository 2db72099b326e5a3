"""Intervals of one model's figures: against a bootstrap over rows, and how often they hold."""

import time

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import (
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from tasks.evaluation.intervals import bootstrap_interval, calibration_interval, intervals_of
from tasks.evaluation.metrics import calibration_error, confusion_of, quality_of


def answered(rows: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a model that is right more often than not, and the truth."""
    random = np.random.default_rng(seed)
    labels_N = random.integers(0, classes, rows)
    logits_NC = random.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[labels_N]
    shares_NC = np.exp(logits_NC) / np.exp(logits_NC).sum(axis=1, keepdims=True)
    return shares_NC.astype(np.float32), labels_N


def test_macro_f1_is_that_of_a_bootstrap_over_rows() -> None:
    shares_NC, labels_N = answered(400, 3, 1)
    found = bootstrap_interval("macro_f1", confusion_of(shares_NC, labels_N))
    random, predicted_N, drawn = np.random.default_rng(0), shares_NC.argmax(1), []
    for _ in range(600):
        rows = random.integers(0, len(labels_N), len(labels_N))
        drawn.append(f1_score(labels_N[rows], predicted_N[rows], average="macro"))
    assert found == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))), abs=0.008)


def test_accuracy_is_near_the_exact_binomial_interval() -> None:
    confusion = np.array([[160, 40], [60, 140]])
    exact = stats.binomtest(300, 400).proportion_ci(method="wilson")
    found = bootstrap_interval("accuracy", confusion)
    assert found == pytest.approx((exact.low, exact.high), abs=0.005)


def test_every_figure_lies_inside_its_interval() -> None:
    shares_NC, labels_N = answered(300, 2, 2)
    classes = ("no", "yes")
    found = intervals_of(shares_NC, labels_N, confusion_of(shares_NC, labels_N), classes)
    predicted_N, exact_NC = shares_NC.argmax(1), shares_NC.astype(np.float64)
    values = {
        "accuracy": (labels_N == predicted_N).mean(),
        "macro_f1": f1_score(labels_N, predicted_N, average="macro"),
        "log_loss": log_loss(labels_N, exact_NC / exact_NC.sum(1, keepdims=True)),
        "roc_auc": roc_auc_score(labels_N, shares_NC[:, 1]),
    } | {
        name: value
        for name, value in quality_of(shares_NC, labels_N, classes).items()
        if "/" in name or name == "calibration_error"
    }
    assert found.keys() == values.keys()
    for name, (low, high) in found.items():
        assert low < values[name] < high, name


def test_one_interval_in_twenty_misses() -> None:
    """The true area is that of a large draw."""
    many_NC, their_labels_N = answered(200_000, 2, 0)
    truth = roc_auc_score(their_labels_N, many_NC[:, 1])
    held = 0
    for seed in range(1, 101):
        shares_NC, labels_N = answered(200, 2, seed)
        low, high = intervals_of(shares_NC, labels_N, confusion_of(shares_NC, labels_N))["roc_auc"]
        held += low <= truth <= high
    assert held >= 89


def test_figures_of_a_class_are_those_of_a_bootstrap_over_rows() -> None:
    shares_NC, labels_N = answered(400, 3, 1)
    confusion = confusion_of(shares_NC, labels_N)
    found = intervals_of(shares_NC, labels_N, confusion, ("a", "b", "c"))
    random, predicted_N, drawn = np.random.default_rng(0), shares_NC.argmax(1), []
    for _ in range(600):
        rows = random.integers(0, len(labels_N), len(labels_N))
        drawn.append(precision_recall_fscore_support(labels_N[rows], predicted_N[rows])[:3])
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    for place, name in enumerate(("precision", "recall", "f1")):
        for row, label in enumerate("abc"):
            wanted = (low[place, row], high[place, row])
            assert found[f"{name}/{label}"] == pytest.approx(wanted, abs=0.02)


def test_the_calibration_error_of_many_rows_lies_in_the_interval_of_few() -> None:
    truth, held = calibration_error(*answered(200_000, 3, 0)), 0
    for seed in range(1, 41):
        low, high = calibration_interval(*answered(300, 3, seed))
        assert low <= calibration_error(*answered(300, 3, seed)) <= high
        held += low <= truth <= high
    assert held >= 32


def test_perfect_answers_leave_no_room() -> None:
    labels_N = np.array([0, 1, 0, 1, 1] * 10)
    shares_NC = np.eye(2, dtype=np.float32)[labels_N]
    found = intervals_of(shares_NC, labels_N, confusion_of(shares_NC, labels_N))
    assert found["accuracy"] == found["macro_f1"] == found["roc_auc"] == (1, 1)
    assert found["calibration_error"] == (0, 0)
    assert found["log_loss"] == pytest.approx((0, 0), abs=1e-9)


def test_one_row_has_no_interval() -> None:
    assert intervals_of(np.array([[0.9, 0.1]], np.float32), np.array([0]), [[1, 0], [0, 0]]) == {}


def test_a_million_rows_cost_as_little_as_a_thousand() -> None:
    begin = time.perf_counter()
    bootstrap_interval("macro_f1", np.full((10, 10), 10_000))
    assert time.perf_counter() - begin < 1
