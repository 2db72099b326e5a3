"""Reading a range test."""

import math

import pytest

from tasks.sweep.range_test import curve_of, ramp_ends, smoothed, suggestion_of
from tasks.training.schedule import exponential_lr

ENDS = (1e-6, 1e-2)


def bowl(rate: float) -> float:
    """Falls fastest at 1e-4, lowest at 1e-3, then explodes."""
    place = math.log10(rate)
    fall = -0.5 * math.tanh(2 * (place + 4))
    return 1.0 + fall + max(0.0, place + 3) ** 2


def test_a_ramp_reaches_beyond_what_may_be_chosen() -> None:
    assert ramp_ends((2e-5, 2e-4)) == pytest.approx(ENDS)


def curve(steps: int = 60) -> tuple[tuple[float, float], ...]:
    rates = [exponential_lr(step, steps, *ENDS) for step in range(steps)]
    return tuple((rate, bowl(rate)) for rate in rates)


def test_both_readings_of_a_clean_curve() -> None:
    suggestion = suggestion_of(curve())
    assert suggestion.steepest == pytest.approx(1e-4, rel=0.3)
    assert suggestion.tenth == pytest.approx(1e-4, rel=0.5)


def test_what_falls_after_the_network_came_apart_is_not_read() -> None:
    apart = tuple((rate * 2e4, 9.0 - index / 2) for index, (rate, _) in enumerate(curve()[:12]))
    suggestion = suggestion_of((*curve(), *apart))
    assert suggestion.steepest == pytest.approx(1e-4, rel=0.3)


def test_a_constant_stays_itself_when_smoothed() -> None:
    assert smoothed([2.0] * 5) == pytest.approx([2.0] * 5)


def test_ramps_are_averaged_up_to_the_first_that_broke_off() -> None:
    points = curve_of([[1.0, 1.0, 1.0, 9.0], [3.0, 3.0, 3.0]], ENDS, total_steps=10)
    assert [loss for _, loss in points] == pytest.approx([2.0, 2.0, 2.0])
    assert points[0][0] == ENDS[0]


def test_a_curve_that_broke_off_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="broke off after 3 steps"):
        suggestion_of(((1e-6, 1.0), (2e-6, 1.0), (3e-6, 1.0)))
