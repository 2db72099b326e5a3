"""Figures of quality from class probabilities and labels; every row counts once, weights or not.

Shapes: N rows, C classes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

BINS = 15
Probabilities = NDArray[np.float32]
Labels = NDArray[np.int64]


def quality_of(
    probabilities_NC: Probabilities, labels_N: Labels, classes: Sequence[str]
) -> dict[str, float]:
    """Figures keyed `accuracy`, `macro_f1`, `precision/<class>`, ..., `roc_auc` of two classes.

    A class that is never predicted has precision 0, one without a row recall 0.
    """
    predicted_N = probabilities_NC.argmax(axis=1)
    indices = range(len(classes))
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels_N, predicted_N, labels=indices, zero_division=0.0
    )
    figures = {
        "accuracy": float(accuracy_score(labels_N, predicted_N)),
        "macro_f1": float(np.mean(f1)),
        "log_loss": _log_loss(probabilities_NC, labels_N),
        "calibration_error": calibration_error(probabilities_NC, labels_N),
    }
    if len(classes) == 2:
        figures["roc_auc"] = float(roc_auc_score(labels_N, probabilities_NC[:, 1]))
    for index, name in enumerate(classes):
        figures[f"precision/{name}"] = float(precision[index])
        figures[f"recall/{name}"] = float(recall[index])
        figures[f"f1/{name}"] = float(f1[index])
    return figures


def confusion_of(probabilities_NC: Probabilities, labels_N: Labels) -> tuple[tuple[int, ...], ...]:
    """Counts; rows are true classes, columns predicted ones."""
    counts = confusion_matrix(
        labels_N, probabilities_NC.argmax(axis=1), labels=range(probabilities_NC.shape[1])
    )
    return tuple(tuple(int(count) for count in row) for row in counts)


def calibration_error(probabilities_NC: Probabilities, labels_N: Labels, bins: int = BINS) -> float:
    """Expected calibration error (Guo et al. 2017, arXiv:1706.04599, equation 3).

    Ours, as scikit-learn has none: mean over the rows of |accuracy - confidence| in the row's bin.
    """
    confidence_N, right_N, bin_N = reliability(probabilities_NC, labels_N, bins)
    gaps = np.bincount(bin_N, weights=right_N - confidence_N, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels_N))


def reliability(
    probabilities_NC: Probabilities, labels_N: Labels, bins: int = BINS
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Of each row: confidence of the likeliest class, 1 where it is right, bin of equal width."""
    confidence_N = probabilities_NC.max(axis=1).astype(np.float64)
    right_N = (probabilities_NC.argmax(axis=1) == labels_N).astype(np.float64)
    # Bins are open below and closed above, as in the paper.
    bin_N = np.clip(np.ceil(confidence_N * bins).astype(np.int64) - 1, 0, bins - 1)
    return confidence_N, right_N, bin_N


def _log_loss(probabilities_NC: Probabilities, labels_N: Labels) -> float:
    # In double precision each row sums to one as closely as scikit-learn asks for.
    exact_NC = probabilities_NC.astype(np.float64)
    exact_NC /= exact_NC.sum(axis=1, keepdims=True)
    return float(log_loss(labels_N, exact_NC, labels=range(exact_NC.shape[1])))
