"""Learning rates as pure functions of the step."""

import math
from collections.abc import Callable

from tasks.training.technique import ScheduleName, Technique

FLOOR = 0.01
"""Share of the peak at which an exponential schedule ends."""
DROPS = (0.5, 0.75)
"""Shares of the training at which a step schedule lowers the rate (arXiv:1512.03385)."""
FIRST_CYCLE = 1 / 7
"""Share of the training of the first of three cycles, each twice as long as the one before."""


def scheduled_lr(step: int, total_steps: int, peak: float, technique: Technique) -> float:
    """The rate of a step, but for what validation has changed (`plateau`, `backtracking`)."""
    if technique.optimizer == "schedule_free":
        return peak * min(1.0, (step + 1) / max(1.0, technique.warm_up * total_steps))
    if technique.schedule == "one_cycle":
        return one_cycle_lr(step, total_steps, peak, technique.warm_up)
    if technique.schedule == "linear_warm_up":
        return linear_lr(step, total_steps, peak, technique.warm_up)
    if technique.schedule == "step":
        return step_lr(step, total_steps, peak, technique.step_factor)
    if (shape := SHAPES.get(technique.schedule)) is not None:
        return peak * shape(step / max(1, total_steps))
    return peak


def one_cycle_lr(step: int, total_steps: int, peak: float, warm_up: float = 0.1) -> float:
    """Linear climb, cosine descent to nearly zero (Smith and Topin 2018, arXiv:1708.07120)."""
    climb = max(1.0, warm_up * total_steps)
    if step < climb:
        return peak * (step + 1) / (climb + 1)
    descent = (step - climb) / max(1.0, total_steps - climb)
    return peak * _half_cosine(min(1.0, descent))


def linear_lr(step: int, total_steps: int, peak: float, warm_up: float = 0.1) -> float:
    """Linear climb, linear descent to zero (Devlin et al. 2019, arXiv:1810.04805)."""
    climb = max(1.0, warm_up * total_steps)
    if step < climb:
        return peak * (step + 1) / (climb + 1)
    return peak * max(0.0, total_steps - step) / max(1.0, total_steps - climb)


def step_lr(step: int, total_steps: int, peak: float, factor: float = 0.1) -> float:
    """The peak times the factor for each of `DROPS` that has been passed."""
    done = step / max(1, total_steps)
    return peak * math.prod(factor for drop in DROPS if done >= drop)


def cycle_share(done: float) -> float:
    """How far the cycle is that stands at `done` of the training (SGDR, arXiv:1608.03983)."""
    start, length = 0.0, FIRST_CYCLE
    while done >= start + length and start + length < 1.0 - 1e-9:
        start, length = start + length, 2 * length
    return min(1.0, (done - start) / length)


def exponential_lr(step: int, total_steps: int, lowest: float, highest: float) -> float:
    """Rate of a range test: equal factors from lowest to highest (Smith 2017, arXiv:1506.01186)."""
    return float(lowest * (highest / lowest) ** (step / max(1, total_steps - 1)))


def _half_cosine(share: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * share))


SHAPES: dict[ScheduleName, Callable[[float], float]] = {
    "exponential": lambda done: float(FLOOR**done),
    "cosine": _half_cosine,
    "warm_restarts": lambda done: _half_cosine(cycle_share(done)),
}
"""Share of the peak at each share of the training; others are formulas above, or stay at it."""
