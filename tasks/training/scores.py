"""Validation figures that choose the epoch and the learning rate.

Shapes: N rows, C classes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_choose_by(scores: Mapping[str, float], name: str) -> float:
    """The score that chooses, higher is better: a loss is its opposite."""
    score = scores[f"valid/{name}"]
    return -score if name == "loss" else score


def class_scores(logits_NC: NDArray[np.float32], labels_N: NDArray[Any]) -> dict[str, float]:
    """Accuracy, macro-F1 and mean cross entropy, keyed as in the learning curve."""
    predicted_N = logits_NC.argmax(axis=1)
    return {
        "valid/accuracy": float((predicted_N == labels_N).mean()),
        "valid/macro_f1": macro_f1(predicted_N, labels_N, logits_NC.shape[1]),
        "valid/loss": cross_entropy(logits_NC, labels_N),
    }


def item_scores(logits_NC: NDArray[np.float32], labels_N: NDArray[Any]) -> dict[str, float]:
    """Mean cross entropy over the catalogue, and the share of events among the ten likeliest.

    What a user met before is not left out: the exported bundle does that.
    """
    truth_N1 = np.take_along_axis(logits_NC, labels_N[:, None], axis=1)
    return {
        "valid/loss": cross_entropy(logits_NC, labels_N),
        "valid/hit_10": float(((logits_NC > truth_N1).sum(axis=1) < 10).mean()),
    }


def number_scores(found_N1: NDArray[np.float32], truth_N: NDArray[Any]) -> dict[str, float]:
    """R2 and mean squared error of standard scores."""
    loss = float(np.mean((found_N1[:, 0] - truth_N) ** 2))
    spread = float(np.var(truth_N))
    return {"valid/r2": 1.0 - loss / spread if spread else 0.0, "valid/loss": loss}


def macro_f1(
    predicted_N: NDArray[np.int64], labels_N: NDArray[np.int64], num_classes: int
) -> float:
    """Mean over the classes of F1; a class that neither has nor gets a row counts zero."""
    counts_CC = np.zeros((num_classes, num_classes))
    np.add.at(counts_CC, (labels_N, predicted_N), 1)
    hits_C = np.diag(counts_CC)
    either_C = counts_CC.sum(axis=0) + counts_CC.sum(axis=1)
    return float((2 * hits_C / np.maximum(either_C, 1)).mean())


def cross_entropy(logits_NC: NDArray[np.float32], labels_N: NDArray[np.int64]) -> float:
    """Mean negative log likelihood of the labels."""
    return float(label_losses(logits_NC, labels_N).mean())


def label_losses(logits_NC: NDArray[np.float32], labels_N: NDArray[np.int64]) -> NDArray[Any]:
    """Negative log likelihood of each label, [N]."""
    shifted_NC = logits_NC - logits_NC.max(axis=1, keepdims=True)
    log_total_N = np.log(np.exp(shifted_NC).sum(axis=1))
    losses_N: NDArray[Any] = log_total_N - shifted_NC[np.arange(len(labels_N)), labels_N]
    return losses_N


def weighted_loss(
    logits_NC: NDArray[np.float32], labels_N: NDArray[Any], weights_N: NDArray[Any] | None
) -> dict[str, float]:
    """The validation loss as training weighs its rows; the other scores count every row once.

    Nothing where all rows count alike.
    """
    if weights_N is None:
        return {}
    if np.issubdtype(labels_N.dtype, np.integer):
        losses_N = label_losses(logits_NC, labels_N)
    else:
        losses_N = (logits_NC[:, 0] - labels_N) ** 2
    return {"valid/loss": float(np.average(losses_N, weights=weights_N))}
