"""Areas under the ROC: against scikit-learn, and the interval against a bootstrap."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tasks.evaluation.ranks import row_means
from tasks.promotion.config import GatePolicy
from tasks.promotion.ranking import auc_difference

POLICY = GatePolicy(metric="roc_auc")


def scored(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, and two scores of which the first is better; some are tied."""
    random = np.random.default_rng(seed)
    truth = (random.random(rows) < 0.3).astype(np.int64)
    shared = random.normal(size=rows)
    first = truth * 1.0 + shared + random.normal(size=rows) * 0.3
    second = truth * 0.8 + shared + random.normal(size=rows) * 0.6
    return truth, first.round(1), second.round(1)


def test_row_means_come_to_the_area() -> None:
    truth, first, _ = scored(500, 1)
    above, below = row_means(truth, first)
    area = roc_auc_score(truth, first)
    assert above.mean() == pytest.approx(area, abs=1e-12)
    assert below.mean() == pytest.approx(area, abs=1e-12)


def test_the_interval_is_that_of_a_bootstrap() -> None:
    truth, first, second = scored(600, 2)
    found = auc_difference(truth, first, second, POLICY)
    assert found.value == pytest.approx(roc_auc_score(truth, first) - roc_auc_score(truth, second))
    random, drawn = np.random.default_rng(0), []
    for _ in range(400):
        rows = random.integers(0, len(truth), len(truth))
        areas = [roc_auc_score(truth[rows], scores[rows]) for scores in (first, second)]
        drawn.append(areas[0] - areas[1])
    low, high = np.percentile(drawn, (2.5, 97.5))
    assert found.low == pytest.approx(low, abs=0.008)
    assert found.high == pytest.approx(high, abs=0.008)


def test_equal_scores_differ_by_nothing() -> None:
    truth, first, _ = scored(200, 3)
    found = auc_difference(truth, first, first, POLICY)
    assert (found.value, found.low, found.high, found.changed_rows) == (0, 0, 0, 0)


@pytest.mark.parametrize("truth", [[0, 0, 0, 1], [0, 1, 2, 2], [0, 1, 0]], ids=str)
def test_rows_that_cannot_be_ranked_are_refused(truth: list[int]) -> None:
    scores = np.arange(4.0)
    with pytest.raises(ValueError, match="need the same rows of two classes"):
        auc_difference(np.array(truth), scores, scores, POLICY)
