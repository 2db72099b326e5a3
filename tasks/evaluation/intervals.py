"""How far chance alone moves a figure of one model: two-sided intervals.

Accuracy, macro-F1 and the figures of each class by the bootstrap over rows (Efron and Tibshirani
1993, chapter 13). They depend on the confusion matrix alone, and its draws are multinomial: a draw
costs the same for a thousand rows and for a million. So does one of the calibration error, of rows
that are counted by confidence. ROC AUC by DeLong, the mean of the log loss by Student's t.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tasks.evaluation.bootstrap import percentile_interval
from tasks.evaluation.confusions import CLASS_SCORES, Metric, class_scores, confusions, scores
from tasks.evaluation.metrics import BINS, calibration_error, reliability
from tasks.evaluation.ranks import area_interval, row_means
from tasks.quality_artifacts import Estimate

CONFIDENCE = 0.95
RESAMPLES, BATCH = 2000, 200
SEED = 7
PARTS = 20
"""Of a bin of the calibration error: rows of one part are taken to be equally sure."""
Interval = tuple[float, float]
Counted = Sequence[Sequence[int]] | NDArray[np.int64]


def intervals_of(
    probabilities_NC: NDArray[np.float32],
    labels_N: NDArray[np.int64],
    confusion: Counted,
    classes: Sequence[str] = (),
) -> dict[str, Interval]:
    """Intervals of accuracy, macro-F1, log loss, calibration error, ROC AUC of two classes, and the
    figures of the named classes; none of one row."""
    if len(labels_N) < 2:
        return {}
    found: dict[str, Interval] = {
        "accuracy": bootstrap_interval("accuracy", confusion),
        "macro_f1": bootstrap_interval("macro_f1", confusion),
        "log_loss": mean_interval(row_losses(probabilities_NC, labels_N)),
        "calibration_error": calibration_interval(probabilities_NC, labels_N),
    }
    found |= class_intervals(confusion, classes)
    if (area := _area(probabilities_NC, labels_N)) is not None:
        found["roc_auc"] = (area.low, area.high)
    return found


def bootstrap_interval(metric: Metric, confusion: Counted) -> Interval:
    """Percentile interval of a metric from counts [true class, predicted class]."""
    low, high = _bounds(confusion, lambda drawn: scores(metric, drawn))
    return float(low), float(high)


def class_intervals(confusion: Counted, classes: Sequence[str]) -> dict[str, Interval]:
    """Of `precision/<class>`, `recall/<class>` and `f1/<class>`."""
    if not classes:
        return {}
    low, high = _bounds(confusion, class_scores)
    return {
        f"{name}/{label}": (float(low[place, row]), float(high[place, row]))
        for place, name in enumerate(CLASS_SCORES)
        for row, label in enumerate(classes)
    }


def calibration_interval(
    probabilities_NC: NDArray[np.float32], labels_N: NDArray[np.int64]
) -> Interval:
    """Of the expected calibration error: the basic bootstrap interval, widened to hold the figure.

    Drawing rows raises the error itself, the more the fewer they are, so that percentiles would lie
    above it; reflected at the figure they allow for that (Efron and Tibshirani 1993, 13.4).
    """
    confidence_N, right_N, bin_N = reliability(probabilities_NC, labels_N)
    parts_N = np.minimum((confidence_N * BINS - bin_N) * PARTS, PARTS - 1).astype(np.int64)
    cells_N = (bin_N * PARTS + parts_N) * 2 + right_N.astype(np.int64)
    cells, codes_N, counts = np.unique(cells_N, return_inverse=True, return_counts=True)
    gaps = np.zeros((len(cells), BINS))
    means = np.bincount(codes_N, weights=right_N - confidence_N) / counts
    gaps[np.arange(len(cells)), cells // (2 * PARTS)] = means
    low, high = _bounds(counts, lambda drawn: np.abs(drawn @ gaps).sum(axis=1) / len(labels_N))
    error = calibration_error(probabilities_NC, labels_N)
    return max(0.0, 2 * error - float(high)), max(error, 2 * error - float(low))


def _bounds(counted: Counted, figures: Callable[..., Any]) -> NDArray[np.float64]:
    """Lower and upper end of each figure; `figures` puts those of many draws on its first axis."""
    counts = np.asarray(counted, dtype=np.int64)
    random, shares = np.random.default_rng(SEED), counts.ravel() / counts.sum()
    found = [
        figures(random.multinomial(counts.sum(), shares, BATCH).reshape(-1, *counts.shape))
        for _ in range(RESAMPLES // BATCH)
    ]
    ends = (0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2)
    return np.asarray(np.quantile(np.concatenate(found), ends, axis=0))


def resampled_intervals(
    samples: Sequence[NDArray[Any]], figures: Callable[..., Any], names: Sequence[str]
) -> dict[str, Interval]:
    """Of the figures by these names, by the bootstrap over rows; none of one row.

    `figures` takes resamples on the last axis and stacks its answers on the first.
    """
    if len(samples[0]) < 2:
        return {}
    bounds = percentile_interval(
        samples, figures, draws=RESAMPLES, confidence=CONFIDENCE, seed=SEED
    )
    ends = zip(names, *(bound.tolist() for bound in bounds), strict=True)
    return {name: (low, high) for name, low, high in ends}


def estimated(
    metric: Metric, probabilities_NC: NDArray[np.float32], labels_N: NDArray[np.int64]
) -> Estimate | None:
    """The metric of some rows, among the classes that occur there; None where it has no meaning."""
    classes = probabilities_NC.shape[1]
    if metric == "roc_auc":
        return _area(probabilities_NC, labels_N)
    if not len(labels_N):
        return None
    counts = confusions(labels_N * classes + probabilities_NC.argmax(axis=1), classes)
    # A class that is not among these rows has F1 0, which would say nothing about them.
    occur = len(np.unique(labels_N))
    scale = classes / occur if metric == "macro_f1" else 1.0
    low, high = bootstrap_interval(metric, counts[0])
    value = float(scores(metric, counts)[0])
    return Estimate(value=value * scale, low=low * scale, high=high * scale)


def estimated_mean(values_N: NDArray[np.float64]) -> Estimate | None:
    """Mean of some rows' figures by Student's t; None of fewer than two."""
    if len(values_N) < 2:
        return None
    low, high = mean_interval(values_N.astype(np.float64))
    return Estimate(value=float(values_N.mean()), low=low, high=high)


def row_losses(
    probabilities_NC: NDArray[np.float32], labels_N: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Minus the logarithm of each row's true class; no row loses more than float32 can say."""
    exact_NC = probabilities_NC.astype(np.float64)
    exact_NC /= exact_NC.sum(axis=1, keepdims=True)
    likely_N = exact_NC[np.arange(len(labels_N)), labels_N]
    return np.asarray(-np.log(np.maximum(likely_N, np.finfo(np.float64).eps)))


def _area(probabilities_NC: NDArray[np.float32], labels_N: NDArray[np.int64]) -> Estimate | None:
    """ROC AUC; None unless there are two classes and two rows of each."""
    if probabilities_NC.shape[1] != 2 or np.bincount(labels_N, minlength=2).min() < 2:
        return None
    above, below = row_means(labels_N, probabilities_NC[:, 1].astype(np.float64))
    low, high = area_interval(above, below, CONFIDENCE)
    return Estimate(value=float(above.mean()), low=max(0.0, low), high=min(1.0, high))


def mean_interval(values_N: NDArray[np.float64]) -> Interval:
    """Of a mean, by Student's t."""
    if not np.ptp(values_N):
        return float(values_N[0]), float(values_N[0])
    found = stats.ttest_1samp(values_N, 0.0).confidence_interval(CONFIDENCE)
    return float(found.low), float(found.high)
