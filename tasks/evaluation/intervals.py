"""How far chance alone moves a figure of one model: two-sided intervals.

Accuracy and macro-F1 by the bootstrap over rows (Efron and Tibshirani 1993, chapter 13). They
depend on the confusion matrix alone, and its draws are multinomial: a draw costs the same for a
thousand rows and for a million. ROC AUC by DeLong, the mean of the log loss by Student's t.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tasks.evaluation.bootstrap import percentile_interval
from tasks.evaluation.confusions import Metric, confusions, scores
from tasks.evaluation.ranks import area_interval, row_means
from tasks.quality_artifacts import Estimate

CONFIDENCE = 0.95
RESAMPLES, BATCH = 2000, 200
SEED = 7
Interval = tuple[float, float]
Counted = Sequence[Sequence[int]] | NDArray[np.int64]


def intervals_of(
    probabilities_NC: NDArray[np.float32], labels_N: NDArray[np.int64], confusion: Counted
) -> dict[str, Interval]:
    """Intervals of accuracy, macro-F1, log loss, and ROC AUC of two classes; none of one row."""
    if len(labels_N) < 2:
        return {}
    found: dict[str, Interval] = {
        "accuracy": bootstrap_interval("accuracy", confusion),
        "macro_f1": bootstrap_interval("macro_f1", confusion),
        "log_loss": mean_interval(row_losses(probabilities_NC, labels_N)),
    }
    if (area := _area(probabilities_NC, labels_N)) is not None:
        found["roc_auc"] = (area.low, area.high)
    return found


def bootstrap_interval(metric: Metric, confusion: Counted) -> Interval:
    """Percentile interval of a metric from counts [true class, predicted class]."""
    counts = np.asarray(confusion, dtype=np.int64)
    random, shares = np.random.default_rng(SEED), counts.ravel() / counts.sum()
    found = [
        scores(metric, random.multinomial(counts.sum(), shares, BATCH).reshape(-1, *counts.shape))
        for _ in range(RESAMPLES // BATCH)
    ]
    low, high = np.quantile(found, (0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2))
    return float(low), float(high)


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
