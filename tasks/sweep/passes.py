"""One trial, a pass at a time: a score after each, and an end wherever the budget's is.

Or wherever somebody asks for it: a pass may be long.
"""

import time
from collections.abc import Callable, Generator, Sequence

from torch import Tensor

from tasks.sweep_artifacts import STOPPED
from tasks.training.blueprint import first_model
from tasks.training.checkpoint import Checkpoint
from tasks.training.course import Material, Point, Setting, TrainState
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.job import TrainingJob, state_for
from tasks.training.keeper import Keeper
from tasks.training.loop import epochs
from tasks.training.resume import restore
from tasks.training.scores import to_choose_by
from tasks.training.technique import ScoreName

Weights = dict[str, Tensor]
OUT_OF_BUDGET = "the budget is used"
Stopped = Callable[[int | None], bool]
"""Whether somebody asks for the end of that trial, or of the whole sweep (None)."""


def never(number: int | None) -> bool:
    """Nobody asks for the end of any."""
    del number
    return False


Check = Callable[[], None]
"""Asked between two pieces of work; raises `CutShort` when there is to be no more."""


def unhindered() -> None:
    """There is to be more."""


class CutShort(Exception):
    """The trial was ended within a pass, or a measurement of it, for the reason that this gives."""


class Deadline:
    """An observer that ends a training when its time is over, or somebody asks for its end.

    `keeper`, if there is one, saves it.
    """

    def __init__(
        self, is_stopped: Callable[[], bool] = lambda: False, keeper: Keeper | None = None
    ) -> None:
        self.at, self._is_stopped = float("inf"), is_stopped
        """On the monotonic clock."""
        self._keeper = keeper

    def on_step(self, state: TrainState, total_steps: int) -> None:
        """Raises `CutShort` past the deadline."""
        self.check()
        if self._keeper:
            self._keeper.on_step(state, total_steps)

    def check(self) -> None:
        """Raises `CutShort` past the deadline."""
        if why := self.why_over():
            raise CutShort(why)

    def why_over(self) -> str:
        """Why nothing goes on; nothing while it does."""
        if time.monotonic() > self.at:
            return OUT_OF_BUDGET
        return STOPPED if self._is_stopped() else ""

    def on_epoch(self, state: TrainState, total_steps: int) -> None:
        """Nothing ends between two passes."""
        if self._keeper:
            self._keeper.on_epoch(state, total_steps)


def passes(
    job: TrainingJob, material: Material, deadline: Deadline, saved: Checkpoint | None = None
) -> Generator[float, None, Weights]:
    """Validation score after each pass, higher is better; those before `saved` cost nothing.

    In the end the best weights, of those that were trained.

    Raises `Diverged` when the training falls apart, `CutShort` past the deadline.
    """
    use_allotted_threads()
    course, device = job.course, choose_device(job.compute)
    state = state_for(job, device, material)
    if saved is not None:
        restore(state, saved)
    yield from scores_in(state.history, course.choose_by)
    for _ in epochs(state, course, material, Setting(device, observer=deadline)):
        yield to_choose_by(state.history[-1], course.choose_by)
    return {name: weight.cpu() for name, weight in state.best_weights.items()}


def whole(scores: Generator[float, None, Weights]) -> Weights:
    """The best weights of a trial, all of whose passes are made."""
    while True:
        try:
            next(scores)
        except StopIteration as over:
            trained: Weights = over.value
            return trained


def scores_in(history: Sequence[Point], choose_by: ScoreName) -> list[float]:
    """The score of each pass of a learning curve."""
    return [to_choose_by(point, choose_by) for point in history if f"valid/{choose_by}" in point]


def num_parameters(job: TrainingJob) -> int:
    """Of the model that the training makes."""
    return sum(weight.numel() for weight in first_model(job.blueprint, 0).parameters())
