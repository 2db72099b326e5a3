"""What scores mean."""

from itertools import pairwise

import pytest

from tasks.artifacts import RateTrial
from tasks.sweep.choice import (
    agrees,
    best_trial,
    interval_of,
    rates_around,
    reason_for,
    spread_rates,
    widened,
)
from tasks.sweep.range_test import Suggestion
from tasks.sweep.trial import FAILED


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


def test_without_a_suggestion_the_sweep_is_over_all_that_is_allowed() -> None:
    assert rates_around(None, (2e-5, 3e-4)) == (2e-5, 3e-4)
    assert not agrees(None, (2e-5, 3e-4))


def test_rates_are_spread_by_equal_factors() -> None:
    rates = spread_rates(1e-5, 1e-3, 4)
    assert [later / earlier for earlier, later in pairwise(rates)] == (pytest.approx([10**0.5] * 3))
    assert 1e-5 < rates[0] < rates[-1] < 1e-3


def tried(*found: tuple[float, float], schedule: str = "one_cycle") -> list[RateTrial]:
    return [RateTrial(lr=lr, schedule=schedule, scores=(score,)) for lr, score in found]


def test_a_clear_winner_wins() -> None:
    assert best_trial(tried((1e-5, 0.40), (1e-4, 0.75), (3e-4, 0.60)), 600).lr == 1e-4


def test_among_rates_that_the_sample_cannot_tell_apart_the_lowest_wins() -> None:
    trials = tried((1e-5, 0.60), (1e-4, 0.745), (3e-4, 0.75))
    assert best_trial(trials, 600).lr == 1e-4
    assert interval_of(trials, 600) == (1e-4, 3e-4)


def test_seeds_that_differ_widen_the_interval() -> None:
    steady = [RateTrial(lr=1e-3, schedule="cosine", scores=(0.69, 0.70, 0.71))]
    best = RateTrial(lr=1e-2, schedule="cosine", scores=(0.749, 0.75, 0.751))
    restless = RateTrial(lr=1e-2, schedule="cosine", scores=(0.60, 0.75, 0.90))
    assert interval_of([*steady, best], 100_000) == (1e-2, 1e-2)
    assert interval_of([*steady, restless], 100_000) == (1e-3, 1e-2)


def test_what_a_seed_does_to_every_rate_is_not_an_error_of_their_difference() -> None:
    """Two rates over three seeds whose validation rows are of uneven difficulty."""
    low = RateTrial(lr=1e-3, schedule="cosine", scores=(-0.500, -0.490, -0.476))
    high = RateTrial(lr=3e-3, schedule="cosine", scores=(-0.492, -0.480, -0.468))
    assert interval_of([low, high], 600) == (3e-3, 3e-3)
    assert best_trial([low, high], 600) is high


def test_a_rate_at_which_one_seed_fell_apart_is_not_as_good() -> None:
    best = RateTrial(lr=1e-3, schedule="cosine", scores=(0.70, 0.72, 0.74))
    apart = RateTrial(lr=1e-4, schedule="cosine", scores=(0.70, FAILED, 0.74))
    assert interval_of([best, apart], 600) == (1e-3, 1e-3)
    assert best_trial([apart], 600) is apart, "where there is no other"


def test_a_schedule_that_loses_is_not_chosen_for_its_lower_rate() -> None:
    trials = tried((1e-5, 0.60), schedule="step") + tried((1e-4, 0.601), schedule="cosine")
    assert best_trial(trials, 100).schedule == "cosine"


@pytest.mark.parametrize(
    ("best", "expected"),
    [(1e-4, (1e-4 / 9, 1e-2)), (1e-3, (1e-4, 1e-2)), (1e-2, (1e-4, 9e-2))],
    ids=["lowest", "inside", "highest"],
)
def test_the_sweep_goes_on_where_its_end_has_won(
    best: float, expected: tuple[float, float]
) -> None:
    trials = tried(*((rate, 0.9 if rate == best else 0.5) for rate in (1e-4, 1e-3, 1e-2)))
    assert widened((1e-4, 1e-2), trials, (1e-6, 1.0)) == pytest.approx(expected)
    assert widened((1e-4, 1e-2), trials, (1e-4, 1e-2)) == (1e-4, 1e-2)


@pytest.mark.parametrize(
    ("steepest", "verdict"),
    [(7e-5, "they agree"), (7e-3, "the range test is unreliable here")],
    ids=["near", "far"],
)
def test_the_reason_names_all_figures_and_says_whether_to_trust_them(
    steepest: float, verdict: str
) -> None:
    trials = tried(*[(1e-4, 0.7)] * 4)
    reason = reason_for(Suggestion(steepest, 1.2e-4), trials, trials[0], (1e-4, 2e-4))
    assert reason == (
        f"range test says {steepest:.1e} (steepest) or 1.2e-04 (a tenth of the minimum), "
        f"sweep of 4 says 1.0e-04 (1.0e-04 to 2.0e-04): {verdict}, using the sweep"
    )
    assert agrees(Suggestion(steepest, 1.2e-4), (1e-4, 2e-4)) == (verdict == "they agree")


def test_the_reason_says_that_the_range_test_could_not_be_read() -> None:
    trials = tried(*[(1e-4, 0.7)] * 4)
    assert reason_for(None, trials, trials[0], (1e-4, 2e-4)) == (
        "range test broke off before its 8th step and cannot be read, sweep of 4 over all rates "
        "allowed says 1.0e-04 (1.0e-04 to 2.0e-04): the range test is unreliable here, using the "
        "sweep"
    )


def test_the_reason_names_the_schedule_that_won_where_two_had_its_rate() -> None:
    trials = tried((1e-4, 0.6), schedule="step") + tried((1e-4, 0.9), schedule="cosine")
    reason = reason_for(Suggestion(1e-4, 1e-4), trials, trials[1], (1e-4, 1e-4))
    assert "says 1.0e-04 with cosine" in reason
