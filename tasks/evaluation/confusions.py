"""What is compared: one number for the answers of one model."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.integer]
Metric = Literal["macro_f1", "accuracy", "roc_auc", "r2", "ndcg", "bits_saved"]
CLASS_SCORES = ("precision", "recall", "f1")
F1 = CLASS_SCORES.index("f1")


def score(metric: Metric, truth: Labels, predicted: Labels, classes: int) -> float:
    """Accuracy, or the unweighted mean of the classes' F1 (0 for one that never occurs)."""
    answers = num_answers(classes, predicted)
    return float(scores(metric, confusions(truth * answers + predicted, classes, answers))[0])


def num_answers(classes: int, *predicted: Labels) -> int:
    """How many classes are answered: those that can be true, and behind them some that cannot."""
    return max(classes, *(int(each.max(initial=0)) + 1 for each in predicted))


def confusions(cells: Labels, classes: int, answers: int | None = None) -> npt.NDArray[np.int64]:
    """[draws, true class, predicted class] from cell numbers [draws, rows], in one count.

    A cell is `true class * answers + predicted class`; left out, there are as many as classes.
    """
    answers = answers or classes
    cells = np.atleast_2d(cells)
    draws, width = len(cells), classes * answers
    shifted = cells + width * np.arange(draws)[:, None]
    counts = np.bincount(shifted.ravel(), minlength=draws * width)
    return counts.reshape(draws, classes, answers)


def scores(metric: Metric, confusions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The metric of each confusion matrix [draws, true class, predicted class].

    It may have more columns than rows: what falls behind is wrong, and no class's own.
    """
    classes = confusions.shape[1]
    if metric == "accuracy":
        hits = np.einsum("dcc->d", confusions[:, :, :classes])
        return np.asarray(hits / confusions.sum(axis=(1, 2)))
    return np.asarray(class_scores(confusions)[:, F1].mean(axis=1))


def class_scores(confusions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """[draws, 3, classes]: precision, recall and F1 of each class, 0 where they have no meaning."""
    classes = confusions.shape[1]
    hits = np.einsum("dcc->dc", confusions[:, :, :classes]).astype(float)
    given, true = confusions.sum(axis=1)[:, :classes], confusions.sum(axis=2)
    # A class that neither occurs nor is predicted has F1 0, as in scikit-learn.
    parts = ((hits, given), (hits, true), (2 * hits, given + true))
    return np.stack([some / np.maximum(whole, 1) for some, whole in parts], axis=1)
