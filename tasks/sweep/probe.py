"""Does it pay to train trials together? A few steps of either way say so."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tasks.sweep.crew import Crew
from tasks.training.course import Material, Setting, num_steps
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.job import TrainingJob, material_of, state_for
from tasks.training.loop import remaining_batches, take_batch

MOST_SECONDS = 0.1
"""Spent on the steps of either way, but for one step of each that is always timed."""
MOST_STEPS = 8
MARGIN = 1.1
"""So much faster must it be: a few steps are noisy, and members that stop early leave smaller
crews, which gain less."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one step of every trial, either way."""

    together: float
    apart: float

    @property
    def ratio(self) -> float:
        """How many times faster together is."""
        return self.apart / self.together

    @property
    def pays(self) -> bool:
        """Whether it is faster for certain."""
        return self.ratio >= MARGIN

    def __str__(self) -> str:
        way = "together" if self.pays else "one by one"
        return (
            f"a step of all trials takes {self.together * 1000:.1f} ms together and "
            f"{self.apart * 1000:.1f} ms one by one: {way}"
        )


def timed(jobs: Sequence[TrainingJob], material: Material | None = None) -> Timing:
    """Time a few steps of jobs that can train together; about 0.3 s for small networks.

    `material` are their rows, where somebody has encoded them.
    """
    use_allotted_threads()
    material = material or material_of(jobs[0])
    together = _fastest(Crew(jobs, material).steps())
    return Timing(together, len(jobs) * _fastest(_steps_alone(jobs[0], material)))


def seconds_alone(job: TrainingJob, material: Material) -> float:
    """What all steps of one training take, by a few of them; scoring is not counted."""
    use_allotted_threads()
    return num_steps(job.course, material) * _fastest(_steps_alone(job, material))


def _steps_alone(job: TrainingJob, material: Material) -> Iterator[None]:
    device = choose_device(job.compute)
    state, setting = state_for(job, device, material), Setting(device)
    for row_ids in remaining_batches(state, job.course, material):
        state.lr = job.course.lr
        take_batch(state, row_ids, job.course, material, setting)
        yield


def _fastest(steps: Iterator[None]) -> float:
    """Seconds of the fastest step; the first, which warms caches up, counts if it is the only."""
    found: list[float] = []
    begun = time.perf_counter()
    started = begun
    for _ in islice(steps, MOST_STEPS):
        found.append(time.perf_counter() - started)
        if time.perf_counter() - begun > MOST_SECONDS and len(found) > 1:
            break
        started = time.perf_counter()
    return min(found[1:] or found)
