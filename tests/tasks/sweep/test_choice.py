"""What scores mean."""

from itertools import pairwise

import pytest

from tasks.sweep.choice import best_rate, rates_around, reason_for, spread_rates
from tasks.sweep.range_test import Suggestion


@pytest.mark.parametrize(
    ("steepest", "expected"),
    [(1e-4, (1e-4 / 3, 3e-4)), (1e-6, (2e-5, 6e-5)), (1e-2, (1e-4, 3e-4))],
    ids=["inside", "below", "above"],
)
def test_the_sweep_stays_inside_what_is_allowed(
    steepest: float, expected: tuple[float, float]
) -> None:
    suggestion = Suggestion(steepest, 1e-4)
    assert rates_around(suggestion, (2e-5, 3e-4)) == pytest.approx(expected)


def test_rates_are_spread_by_equal_factors() -> None:
    rates = spread_rates(1e-5, 1e-3, 4)
    assert [later / earlier for earlier, later in pairwise(rates)] == (pytest.approx([10**0.5] * 3))
    assert 1e-5 < rates[0] < rates[-1] < 1e-3


def test_a_clear_winner_wins() -> None:
    assert best_rate([(1e-5, 0.40), (1e-4, 0.75), (3e-4, 0.60)], 600) == 1e-4


def test_among_rates_that_the_sample_cannot_tell_apart_the_lowest_wins() -> None:
    assert best_rate([(1e-5, 0.60), (1e-4, 0.745), (3e-4, 0.75)], 600) == 1e-4


def test_the_reason_names_all_three_figures() -> None:
    reason = reason_for(Suggestion(7e-5, 1.2e-4), [(1e-4, 0.7)] * 4, 1e-4)
    assert reason == (
        "range test says 7.0e-05 (steepest) or 1.2e-04 (a tenth of the minimum), "
        "sweep of 4 says 1.0e-04: using the sweep"
    )
