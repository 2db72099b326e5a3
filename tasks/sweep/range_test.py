"""The learning-rate range test: raise the rate every step, watch the loss (arXiv:1506.01186)."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from tasks.training.batches import RowIds
from tasks.training.course import Course, Material, Setting, TrainState, num_steps
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.gradients import Diverged
from tasks.training.job import TrainingJob, first_state, material_of
from tasks.training.loop import remaining_batches, take_batch
from tasks.training.schedule import exponential_lr

BELOW, ABOVE = 20.0, 50.0
"""How far a ramp reaches beyond the rates that may be chosen: to where nothing and all happens."""
LEAST_STEPS = 8
"""A curve of fewer says nothing, and a loss that stays high for fewer may be noise."""
SMOOTHING = 0.85
"""Weight of the past in the moving average."""
DIVERGED = 3.0
"""Losses that stay above this many times those of the start end the ramp.

One batch of a skewed target may have 20 times the loss of another at any rate."""
SKIPPED = 0.1
"""Share of the curve at either end where its slope is noise."""

Rates = tuple[float, float]
"""Lowest and highest."""
Curve = tuple[tuple[float, float], ...]
"""(rate, smoothed loss) in rising order of the rate."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two readings of one curve."""

    steepest: float
    """Rate at which the smoothed loss falls fastest."""
    tenth: float
    """A tenth of the rate with the lowest smoothed loss."""


def ramp_ends(allowed: Rates) -> Rates:
    """First and last rate of a ramp."""
    return allowed[0] / BELOW, allowed[1] * ABOVE


def ramp(job: TrainingJob, ends: Rates) -> list[float]:
    """Loss of every step of the course while its rate climbs between the ends."""
    use_allotted_threads()
    device = choose_device(job.compute)
    state = first_state(job, device)
    material, setting = material_of(job), Setting(device)
    total = num_steps(job.course, material)
    losses: list[float] = []
    for row_ids in _all_batches(state, job.course, material):
        state.lr = exponential_lr(state.step, total, *ends)
        try:
            losses.append(take_batch(state, row_ids, job.course, material, setting))
        except Diverged:
            break
        if has_diverged(losses):
            break
    return losses


def has_diverged(losses: Sequence[float]) -> bool:
    """Whether the last loss is not finite, or the last ones all are far above the first ones."""
    if not math.isfinite(losses[-1]):
        return True
    return min(losses[-LEAST_STEPS:]) > DIVERGED * fmean(losses[:LEAST_STEPS])


def _all_batches(state: TrainState, course: Course, material: Material) -> Iterator[RowIds]:
    """Those of every epoch."""
    while state.epochs_done < course.epochs:
        yield from remaining_batches(state, course, material)
        state.epochs_done += 1


def curve_of(ramps: Sequence[Sequence[float]], ends: Rates, total_steps: int) -> Curve:
    """Mean of the ramps, smoothed; as long as the shortest ramp before it broke off."""
    length = min(map(len, ramps))
    means = np.mean([losses[:length] for losses in ramps], axis=0)
    rates = [exponential_lr(step, total_steps, *ends) for step in range(length)]
    points = zip(rates, smoothed(means.tolist()), strict=True)
    return tuple((rate, loss) for rate, loss in points if math.isfinite(loss))


def smoothed(losses: Sequence[float]) -> list[float]:
    """Exponential moving average, without its pull towards zero at the start (as in Adam)."""
    average = 0.0
    averages: list[float] = []
    for index, loss in enumerate(losses):
        average = SMOOTHING * average + (1 - SMOOTHING) * loss
        averages.append(average / (1 - SMOOTHING ** (index + 1)))
    return averages


def suggestion_of(curve: Curve) -> Suggestion | None:
    """What the curve says; None when it broke off before anything could be read from it."""
    if len(curve) < LEAST_STEPS:
        return None
    rates, losses = np.array(curve).T
    edge, lowest = max(1, round(SKIPPED * len(rates))), int(losses.argmin())
    # Beyond its lowest place a curve may fall again, from where a network has come apart.
    read = slice(edge, max(edge + 1, min(lowest + 1, len(rates) - edge)))
    slopes = np.gradient(losses, np.log(rates))[read]
    steepest = float(rates[read][int(slopes.argmin())])
    return Suggestion(steepest, float(rates[lowest]) / 10)
