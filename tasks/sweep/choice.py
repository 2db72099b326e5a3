"""What the figures of a search mean: pure functions of rates and scores."""

import math
from collections.abc import Sequence

from tasks.sweep.range_test import Suggestion

REACH = 3.0
"""The sweep looks this factor below and above the suggestion."""

Trials = tuple[tuple[float, float], ...]
"""(rate, validation score), in the order in which the rates were asked for."""


def rates_around(suggestion: Suggestion, allowed: tuple[float, float]) -> tuple[float, float]:
    """Lowest and highest rate of the sweep: around the suggestion, inside what is allowed."""
    lowest, highest = allowed
    centre = min(max(suggestion.steepest, lowest), highest)
    return max(lowest, centre / REACH), min(highest, centre * REACH)


def spread_rates(lowest: float, highest: float, count: int) -> list[float]:
    """`count` rates at equal factors, strictly inside the interval."""
    factor = (highest / lowest) ** (1 / count)
    return [lowest * factor ** (index + 0.5) for index in range(count)]


def best_rate(trials: Sequence[tuple[float, float]], valid_rows: int) -> float:
    """The lowest rate whose score is within one standard error of the best.

    A short trial flatters high rates, which have less time to do harm than in the full training;
    among rates that the sample cannot tell apart the lowest is the safe one.
    """
    best = max(score for _, score in trials)
    share = min(max(best, 0.0), 1.0)  # R2 may lie below zero
    error = math.sqrt(share * (1 - share) / valid_rows)
    return min(rate for rate, score in trials if score >= best - error)


def reason_for(suggestion: Suggestion, trials: Sequence[tuple[float, float]], lr: float) -> str:
    """One sentence for people."""
    return (
        f"range test says {suggestion.steepest:.1e} (steepest) or {suggestion.tenth:.1e} "
        f"(a tenth of the minimum), sweep of {len(trials)} says {lr:.1e}: using the sweep"
    )
