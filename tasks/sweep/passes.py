"""One trial, a pass at a time: a score after each, and an end wherever the budget's is.

Or wherever somebody asks for it: a pass may be long.
"""

import time
from collections.abc import Callable, Iterator

from tasks.sweep_artifacts import STOPPED
from tasks.training.blueprint import first_model
from tasks.training.course import Material, Setting, TrainState
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.job import TrainingJob, first_state
from tasks.training.loop import epochs
from tasks.training.scores import to_choose_by

OUT_OF_BUDGET = "the budget is used"
Stopped = Callable[[int | None], bool]
"""Whether somebody asks for the end of that trial, or of the whole sweep (None)."""


def never(number: int | None) -> bool:
    """Nobody asks for the end of any."""
    del number
    return False


class CutShort(Exception):
    """The trial was ended within a pass, for the reason that this gives."""


class Deadline:
    """An observer that ends a training when its time is over, or somebody asks for its end."""

    def __init__(self, is_stopped: Callable[[], bool] = lambda: False) -> None:
        self.at, self._is_stopped = float("inf"), is_stopped
        """On the monotonic clock."""

    def on_step(self, state: TrainState, total_steps: int) -> None:
        """Raises `CutShort` past the deadline."""
        del state, total_steps
        if why := self.why_over():
            raise CutShort(why)

    def why_over(self) -> str:
        """Why nothing goes on; nothing while it does."""
        if time.monotonic() > self.at:
            return OUT_OF_BUDGET
        return STOPPED if self._is_stopped() else ""

    def on_epoch(self, state: TrainState, total_steps: int) -> None:
        """Nothing."""


def passes(job: TrainingJob, material: Material, deadline: Deadline) -> Iterator[float]:
    """Validation score after each pass, higher is better.

    Raises `Diverged` when the training falls apart, `CutShort` past the deadline.
    """
    use_allotted_threads()
    course, device = job.course, choose_device(job.compute)
    state = first_state(job, device)
    for _ in epochs(state, course, material, Setting(device, observer=deadline)):
        yield to_choose_by(state.history[-1], course.choose_by)


def num_parameters(job: TrainingJob) -> int:
    """Of the model that the training makes."""
    return sum(weight.numel() for weight in first_model(job.blueprint, 0).parameters())
