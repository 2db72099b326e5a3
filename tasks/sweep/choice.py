"""What the figures of a search mean: pure functions of rates and scores."""

import math
from collections.abc import Sequence
from statistics import variance

from tasks.artifacts import RateTrial
from tasks.sweep.range_test import LEAST_STEPS, Rates, Suggestion
from tasks.sweep.trial import FAILED

REACH = 3.0
"""The sweep looks this factor below and above the suggestion.

A range test that is further than this from what the sweep finds is not to be trusted."""


def rates_around(suggestion: Suggestion | None, allowed: Rates) -> Rates:
    """Lowest and highest rate of the sweep: around the suggestion, inside what is allowed.

    All that is allowed where there is no suggestion.
    """
    if suggestion is None:
        return allowed
    lowest, highest = allowed
    centre = min(max(suggestion.steepest, lowest), highest)
    return max(lowest, centre / REACH), min(highest, centre * REACH)


def spread_rates(lowest: float, highest: float, count: int) -> list[float]:
    """`count` rates at equal factors, strictly inside the interval."""
    factor = (highest / lowest) ** (1 / count)
    return [lowest * factor ** (index + 0.5) for index in range(count)]


def widened(interval: Rates, trials: Sequence[RateTrial], allowed: Rates) -> Rates:
    """The interval, further on the side on which the best rate is the outermost one tried."""
    lowest, highest = interval
    rates = [trial.lr for trial in trials]
    best = max(trials, key=lambda trial: trial.score).lr
    if best == min(rates):
        lowest = max(allowed[0], lowest / REACH**2)
    if best == max(rates):
        highest = min(allowed[1], highest * REACH**2)
    return lowest, highest


def best_trial(trials: Sequence[RateTrial], valid_rows: int) -> RateTrial:
    """The one with the lowest rate of those within one standard error of the best.

    A short trial flatters high rates, which have less time to do harm than in the full training;
    among rates that the sample cannot tell apart the lowest is the safe one.
    """
    return min(as_good_as_the_best(trials, valid_rows), key=lambda trial: trial.lr)


def as_good_as_the_best(trials: Sequence[RateTrial], valid_rows: int) -> list[RateTrial]:
    """Those whose mean score is within one standard error of the best one's, same schedule.

    The error is that of the mean difference over seeds, pair by pair: of one seed all rates start
    from the same weights, learn from the same rows and are judged on the same ones, and what these
    do to the score is common to them. Of one seed alone, that of a share among `valid_rows`. A
    rate at which any seed fell apart is as good as no other.
    """
    best = max(trials, key=lambda trial: trial.score)
    return [one for one in trials if one is best or _is_as_good(one, best, valid_rows)]


def _is_as_good(one: RateTrial, best: RateTrial, valid_rows: int) -> bool:
    if one.schedule != best.schedule or min(one.scores) <= FAILED:
        return False
    return one.score >= best.score - _error(best, one, valid_rows)


def _error(best: RateTrial, other: RateTrial, valid_rows: int) -> float:
    if len(best.scores) > 1:
        lost = [high - low for high, low in zip(best.scores, other.scores, strict=True)]
        return math.sqrt(variance(lost) / len(lost))
    share = min(max(best.score, 0.0), 1.0)  # R2 may lie below zero
    return math.sqrt(share * (1 - share) / valid_rows)


def interval_of(trials: Sequence[RateTrial], valid_rows: int) -> Rates:
    """Lowest and highest rate that cannot be told from the best."""
    rates = [trial.lr for trial in as_good_as_the_best(trials, valid_rows)]
    return min(rates), max(rates)


def agrees(suggestion: Suggestion | None, interval: Rates) -> bool:
    """Whether the steepest place of the curve is within REACH of what the sweep found."""
    if suggestion is None:
        return False
    return interval[0] / REACH <= suggestion.steepest <= interval[1] * REACH


def reason_for(
    suggestion: Suggestion | None, trials: Sequence[RateTrial], best: RateTrial, interval: Rates
) -> str:
    """One sentence for people."""
    schedules = {trial.schedule for trial in trials}
    chosen = f" with {best.schedule}" if len(schedules) > 1 else ""
    over = "" if suggestion else " over all rates allowed"
    verdict = "they agree" if agrees(suggestion, interval) else "the range test is unreliable here"
    return (
        f"range test {_reading(suggestion)}, sweep of {len(trials)}{over} says "
        f"{best.lr:.1e}{chosen} ({interval[0]:.1e} to {interval[1]:.1e}): {verdict}, "
        "using the sweep"
    )


def _reading(suggestion: Suggestion | None) -> str:
    if suggestion is None:
        return f"broke off before its {LEAST_STEPS}th step and cannot be read"
    return (
        f"says {suggestion.steepest:.1e} (steepest) or {suggestion.tenth:.1e} "
        "(a tenth of the minimum)"
    )
