"""Figures of numbers against scikit-learn and closed forms, and the gate's comparison."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from tasks.evaluation.regression import explained, number_figures, squared_errors
from tasks.promotion.config import GatePolicy
from tasks.promotion.explained import r2_difference
from tasks.training.scores import number_scores

POLICY = GatePolicy(metric="r2", resamples=400)


def noisy(rows: int, noise: float, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.normal(100, 20, rows)
    return truth, truth + random.normal(0, noise, rows)


def test_figures_are_those_of_the_closed_form() -> None:
    truth, found = noisy(500, 5)
    figures, intervals, confusion = number_figures(found[:, None], truth, ())
    assert figures["rmse"] == pytest.approx(np.sqrt(np.mean((truth - found) ** 2)))
    assert figures["mae"] == pytest.approx(np.abs(truth - found).mean())
    assert figures["r2"] == pytest.approx(1 - np.mean((truth - found) ** 2) / truth.var())
    assert confusion == ()
    for name, (low, high) in intervals.items():
        assert low < figures[name] < high, name


def test_r2_of_draws_is_that_of_scikit_learn() -> None:
    truth, found = noisy(60, 9)
    draws = np.random.default_rng(0).integers(0, 60, (5, 60))
    ours = explained(squared_errors(truth, found)[draws], truth[draws])
    np.testing.assert_allclose(ours, [r2_score(truth[draw], found[draw]) for draw in draws])


def test_a_better_model_is_proven_and_an_equal_one_is_not() -> None:
    truth, good = noisy(800, 4)
    bad = truth + np.random.default_rng(9).normal(0, 8, len(truth))
    found = r2_difference(truth, good, bad, POLICY)
    assert found.low > 0
    assert found.value == pytest.approx(r2_score(truth, good) - r2_score(truth, bad))
    same = r2_difference(truth, good, good.copy(), POLICY)
    assert (same.value, same.low, same.high, same.changed_rows) == (0, 0, 0, 0)


def test_a_comparison_needs_the_same_rows() -> None:
    truth, found = noisy(10, 1)
    with pytest.raises(ValueError, match="10 numbers, 10 and 9 predictions"):
        r2_difference(truth, found, found[:9], POLICY)


def test_validation_of_numbers_is_r2_and_squared_error() -> None:
    truth, found = noisy(50, 3)
    scores = number_scores(found[:, None].astype(np.float32), truth)
    assert scores["valid/r2"] == pytest.approx(r2_score(truth, found), abs=1e-5)
    assert scores["valid/loss"] == pytest.approx(np.mean((truth - found) ** 2), rel=1e-4)
