"""One trial, a pass at a time: a score after each, and an end wherever the budget's is."""

import time
from collections.abc import Iterator

from tasks.training.blueprint import first_model
from tasks.training.course import Material, Setting, TrainState
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.job import TrainingJob, first_state
from tasks.training.loop import epochs
from tasks.training.scores import to_choose_by

OUT_OF_BUDGET = "the budget is used"


class OutOfBudget(Exception):
    """The trial was stopped within a pass: no time is left."""


class Deadline:
    """An observer that ends a training when its time is over."""

    def __init__(self) -> None:
        self.at = float("inf")
        """On the monotonic clock."""

    def on_step(self, state: TrainState, total_steps: int) -> None:
        """Raises `OutOfBudget` past the deadline."""
        del state, total_steps
        if time.monotonic() > self.at:
            raise OutOfBudget

    def on_epoch(self, state: TrainState, total_steps: int) -> None:
        """Nothing."""


def passes(job: TrainingJob, material: Material, deadline: Deadline) -> Iterator[float]:
    """Validation score after each pass, higher is better.

    Raises `Diverged` when the training falls apart, `OutOfBudget` past the deadline.
    """
    use_allotted_threads()
    course, device = job.course, choose_device(job.compute)
    state = first_state(job, device)
    for _ in epochs(state, course, material, Setting(device, observer=deadline)):
        yield to_choose_by(state.history[-1], course.choose_by)


def num_parameters(job: TrainingJob) -> int:
    """Of the model that the training makes."""
    return sum(weight.numel() for weight in first_model(job.blueprint, 0).parameters())
