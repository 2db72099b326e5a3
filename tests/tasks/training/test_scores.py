"""Validation figures against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from tasks.training.scores import class_scores


def test_scores_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(200, 3)).astype(np.float32)
    labels = random.integers(0, 3, 200)
    odds = np.exp(logits)
    scores = class_scores(logits, labels)
    predicted = logits.argmax(1)
    assert scores["valid/accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert scores["valid/macro_f1"] == pytest.approx(f1_score(labels, predicted, average="macro"))
    expected = log_loss(labels, odds / odds.sum(1, keepdims=True))
    assert scores["valid/loss"] == pytest.approx(expected, abs=1e-5)
