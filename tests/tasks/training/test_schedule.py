"""Rates as functions of the step."""

import pytest

from tasks.training.schedule import exponential_lr, one_cycle_lr


def test_one_cycle_climbs_to_the_peak_and_falls_to_nothing() -> None:
    rates = [one_cycle_lr(step, 100, 1e-3) for step in range(100)]
    assert rates[0] == pytest.approx(1e-3 / 11)
    assert max(rates) == pytest.approx(1e-3)
    assert rates.index(max(rates)) == 10
    assert rates[-1] < 1e-6


def test_one_cycle_of_a_single_step_has_a_rate() -> None:
    assert one_cycle_lr(0, 1, 1e-3) > 0


def test_a_range_test_goes_from_lowest_to_highest_by_equal_factors() -> None:
    rates = [exponential_lr(step, 5, 1e-6, 1e-2) for step in range(5)]
    assert rates == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
