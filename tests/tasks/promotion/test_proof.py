import time
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from tasks.evaluation.confusions import Metric, score
from tasks.promotion.config import GatePolicy
from tasks.promotion.proof import detectable_difference, paired_difference

Predictions = Callable[..., np.ndarray]


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_scores_are_scikit_learns(
    metric: Metric, truth: np.ndarray, predictions: Predictions
) -> None:
    predicted = predictions(0.7)
    expected = {
        "accuracy": accuracy_score(truth, predicted),
        "macro_f1": f1_score(truth, predicted, average="macro"),
    }
    assert score(metric, truth, predicted, 3) == pytest.approx(expected[metric])


def test_a_class_that_never_occurs_counts_as_zero() -> None:
    truth = np.array([0, 1, 0, 1])
    expected = f1_score(truth, truth, average="macro", labels=[0, 1, 2], zero_division=0)
    assert score("macro_f1", truth, truth, 3) == pytest.approx(expected)


def test_equal_predictions_differ_by_nothing(truth: np.ndarray, predictions: Predictions) -> None:
    same = predictions(0.7)
    difference = paired_difference(truth, same, same, 3, GatePolicy())
    assert (difference.low, difference.value, difference.high) == (0, 0, 0)
    assert difference.changed_rows == 0


def test_a_clear_gain_lies_above_zero(truth: np.ndarray, predictions: Predictions) -> None:
    difference = paired_difference(truth, predictions(0.8), predictions(0.7), 3, GatePolicy())
    assert 0 < difference.low < difference.value < difference.high
    assert difference.value == pytest.approx(0.1, abs=0.01)


def test_the_interval_has_its_confidence(truth: np.ndarray) -> None:
    """Two models of one quality: about one interval in twenty leaves zero out."""
    policy = GatePolicy(resamples=300, metric="accuracy")
    rng = np.random.default_rng(5)
    outside = 0
    for _ in range(120):
        pair = [np.where(rng.random(500) < 0.7, truth[:500], (truth[:500] + 1) % 3) for _ in "ab"]
        found = paired_difference(truth[:500], *pair, 3, policy)
        outside += not found.low <= 0 <= found.high
    assert outside <= 14


def test_the_same_seed_gives_the_same_interval(truth: np.ndarray, predictions: Predictions) -> None:
    pair = predictions(0.72, 1), predictions(0.7, 2)
    first, second = (paired_difference(truth, *pair, 3, GatePolicy()) for _ in "12")
    assert first == second
    assert paired_difference(truth, *pair, 3, GatePolicy(seed=8)).low != first.low


def test_the_order_of_the_two_turns_the_sign(truth: np.ndarray, predictions: Predictions) -> None:
    a, b = predictions(0.75, 1), predictions(0.7, 2)
    one = paired_difference(truth, a, b, 3, GatePolicy())
    other = paired_difference(truth, b, a, 3, GatePolicy())
    assert (one.value, one.low) == pytest.approx((-other.value, -other.high))


def test_other_rows_are_refused(truth: np.ndarray) -> None:
    with pytest.raises(ValueError, match="2000 labels, 1999 and 2000 predictions"):
        paired_difference(truth, truth[1:], truth, 3, GatePolicy())


def test_the_holdout_of_the_tweets_takes_under_three_seconds() -> None:
    rng = np.random.default_rng(0)
    truth, first, second = (rng.integers(0, 3, 7500) for _ in range(3))
    start = time.perf_counter()
    paired_difference(truth, first, second, 3, GatePolicy(resamples=2000))
    assert time.perf_counter() - start < 3


def test_it_says_its_figures_in_one_line(truth: np.ndarray, predictions: Predictions) -> None:
    same = predictions(0.7)
    sentence = str(paired_difference(truth, same, same, 3, GatePolicy()))
    assert sentence == "macro_f1 +0.0000 [+0.0000, +0.0000] at 95 % on 2,000 rows"


def test_more_rows_resolve_smaller_differences() -> None:
    few, many = detectable_difference(100), detectable_difference(10_000)
    assert few == pytest.approx(10 * many)
    assert 0.01 < detectable_difference(7497) < 0.02


def test_an_impossible_holdout_is_refused() -> None:
    with pytest.raises(ValueError, match="rows 0 must be at least 1"):
        detectable_difference(0)


def test_fewer_draws_at_a_time_give_the_same_interval(
    truth: np.ndarray, predictions: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = predictions(0.72, 1), predictions(0.7, 2)
    found = []
    for most in (50, 3):
        monkeypatch.setattr("tasks.evaluation.bootstrap.MOST_DRAWN", most * len(truth))
        found.append(paired_difference(truth, *pair, 3, GatePolicy()))
    assert found[0] == found[1]
