"""What is compared: one number for the answers of one model."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.integer]
Metric = Literal["macro_f1", "accuracy", "roc_auc", "r2", "ndcg", "bits_saved"]


def score(metric: Metric, truth: Labels, predicted: Labels, classes: int) -> float:
    """Accuracy, or the unweighted mean of the classes' F1 (0 for one that never occurs)."""
    return float(scores(metric, confusions(truth * classes + predicted, classes))[0])


def confusions(cells: Labels, classes: int) -> npt.NDArray[np.int64]:
    """[draws, true class, predicted class] from cell numbers [draws, rows], in one count.

    A cell is `true class * classes + predicted class`.
    """
    cells = np.atleast_2d(cells)
    draws, width = len(cells), classes * classes
    shifted = cells + width * np.arange(draws)[:, None]
    counts = np.bincount(shifted.ravel(), minlength=draws * width)
    return counts.reshape(draws, classes, classes)


def scores(metric: Metric, confusions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The metric of each confusion matrix [draws, true class, predicted class]."""
    hits = np.einsum("dcc->dc", confusions).astype(float)
    if metric == "accuracy":
        return np.asarray(hits.sum(axis=1) / confusions.sum(axis=(1, 2)))
    both = confusions.sum(axis=1) + confusions.sum(axis=2)
    # A class that neither occurs nor is predicted has F1 0, as in scikit-learn.
    return np.asarray((2 * hits / np.maximum(both, 1)).mean(axis=1))
