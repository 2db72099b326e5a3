"""Rates as functions of the step."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    SequentialLR,
)

from tasks.training.schedule import exponential_lr, one_cycle_lr, scheduled_lr
from tasks.training.technique import ScheduleName, Technique


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


def rates_of(schedule: ScheduleName, steps: int = 100, **technique: Any) -> list[float]:
    chosen = Technique(schedule=schedule, **technique)
    return [scheduled_lr(step, steps, 1.0, chosen) for step in range(steps)]


@pytest.mark.parametrize("schedule", ["constant", "plateau", "backtracking"])
def test_some_schedules_leave_the_rate_to_validation(schedule: ScheduleName) -> None:
    assert rates_of(schedule) == [1.0] * 100


def test_a_step_schedule_divides_by_ten_twice() -> None:
    rates = rates_of("step")
    assert [rates[step] for step in (0, 49, 50, 74, 75, 99)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01]
    )


def test_exponential_falls_by_equal_factors() -> None:
    rates = rates_of("exponential")
    factors = [after / before for before, after in pairwise(rates)]
    assert factors == pytest.approx([0.01**0.01] * 99)


def test_cosine_follows_its_formula() -> None:
    expected = [0.5 * (1 + math.cos(math.pi * step / 100)) for step in range(100)]
    assert rates_of("cosine") == pytest.approx(expected)


def test_schedule_free_climbs_and_stays() -> None:
    rates = rates_of("constant", optimizer="schedule_free", warm_up=0.2)
    assert rates[:20] == pytest.approx([(step + 1) / 20 for step in range(20)])
    assert rates[20:] == [1.0] * 80
    assert rates_of("constant", optimizer="schedule_free", warm_up=0.0) == [1.0] * 100


def test_warm_restarts_jump_back_to_the_peak_after_one_and_three_sevenths() -> None:
    rates = rates_of("warm_restarts", steps=700)
    jumps = [step for step, (a, b) in enumerate(pairwise(rates), 1) if b > a]
    assert jumps == [100, 300]
    assert (rates[100], rates[300]) == (1.0, 1.0)


def by_torch(make: Callable[[Optimizer], LRScheduler], steps: int) -> list[float]:
    """The rates of torch's own scheduler, whose peak is 1."""
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(float(scheduler.get_last_lr()[0]))
        optimizer.step()
        scheduler.step()
    return rates


def warm_then_cosine(optimizer: Optimizer) -> LRScheduler:
    climb = LinearLR(optimizer, 1 / 141, 1.0, 140)
    return SequentialLR(optimizer, [climb, CosineAnnealingLR(optimizer, 560)], [140])


@pytest.mark.parametrize(
    ("schedule", "make"),
    [
        ("step", lambda o: MultiStepLR(o, [350, 525])),
        ("exponential", lambda o: ExponentialLR(o, 0.01 ** (1 / 700))),
        ("cosine", lambda o: CosineAnnealingLR(o, 700)),
        ("warm_restarts", lambda o: CosineAnnealingWarmRestarts(o, 100, T_mult=2)),
        ("one_cycle", warm_then_cosine),
    ],
)
def test_rates_are_those_of_torch(
    schedule: ScheduleName, make: Callable[[Optimizer], LRScheduler]
) -> None:
    ours = rates_of(schedule, steps=700, warm_up=0.2)
    assert ours == pytest.approx(by_torch(make, 700), abs=1e-6)


@pytest.mark.parametrize("factor", [0.1, 0.3, 0.9])
def test_a_step_schedule_has_its_factor(factor: float) -> None:
    ours = rates_of("step", steps=700, step_factor=factor)
    torchs = by_torch(lambda o: MultiStepLR(o, [350, 525], gamma=factor), 700)
    assert ours == pytest.approx(torchs, abs=1e-9)


def test_linear_is_a_line_up_and_a_line_down() -> None:
    expected = np.interp(np.arange(700), [-1, 140, 700], [0, 1, 0])
    assert rates_of("linear_warm_up", 700, warm_up=0.2) == pytest.approx(expected.tolist())


def test_linear_climbs_and_falls_to_zero() -> None:
    rates = rates_of("linear_warm_up", warm_up=0.2)
    assert rates.index(max(rates)) == 20
    assert rates[60] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(1 / 80)
