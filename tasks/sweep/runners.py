"""Where trials run: here one after the other; `benches` has those in the cluster."""

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch

from tasks.costs.meter import Used
from tasks.sweep.ahead import Ahead, learn
from tasks.sweep.passes import (
    Check,
    CutShort,
    Deadline,
    Stopped,
    Weights,
    never,
    passes,
    unhindered,
)
from tasks.sweep.space import Values
from tasks.sweep.workbench import Workbench
from tasks.training.job import TrainingJob
from tasks.training.memory import is_out_of_memory


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one more pass of a trial."""

    number: int
    score: float | None
    """After the pass; None: the trial has no pass left."""
    cpu_seconds: float
    """Used by the trial so far."""
    gpu_seconds: float
    trouble: str = ""
    """Why it ended before its last pass."""


def trouble_of(error: BaseException) -> str:
    """What went wrong, in its own words; by its name where it has none."""
    return str(error) or type(error).__name__


def is_of_trial(error: BaseException) -> bool:
    """Whether it ends the trial alone: what its values, its rows or its memory lead to."""
    return isinstance(error, CutShort | ValueError) or is_out_of_memory(error)


def report(number: int, score: float | None, used: Used, trouble: str = "") -> Report:
    """What came of a pass; a score that is no number is a trouble."""
    if score is not None and not math.isfinite(score):
        score, trouble = None, f"score {score}"
    return Report(number, score, used.cpu, used.gpu, trouble)


class Runner(Protocol):
    """Trials are begun, waited for a pass at a time, and ended."""

    @property
    def slots(self) -> int:
        """How many trials may be running now."""
        ...

    @property
    def cores(self) -> float:
        """How many cores they use together."""
        ...

    @property
    def gpus(self) -> float:
        """How many GPUs they use together."""
        ...

    @property
    def under_way(self) -> Used:
        """What passes hold that have begun and are not reported."""
        ...

    def begin(self, number: int, values: Values) -> None:
        """Start a trial in a free slot; `ValueError` for values with which there is none."""
        ...

    def wait(self, seconds: float) -> Report | None:
        """The next pass of any trial; None when nothing came within a tick.

        No trial is to use more than `seconds` from now.
        """
        ...

    def quiet(self, number: int, check: Check = unhindered) -> None:
        """Return when no pass of another trial is under way; that one waits after a pass.

        Whoever waits asks `check` all along.
        """
        ...

    def trained(self, number: int, check: Check = unhindered) -> Weights:
        """The best weights of a trial that has no pass left; nothing else runs while they are
        looked at. Waits for that as `quiet` does."""
        ...

    def end(self, number: int) -> None:
        """Free the slot of a trial, if it has one."""
        ...

    def close(self) -> None:
        """End whatever was begun."""
        ...


@dataclass
class Running:
    """A trial somewhere in its passes."""

    scores: Iterator[float]
    """Of `passes`, which in the end returns the best weights."""
    deadline: Deadline
    gpus: float = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    trained: Weights = field(default_factory=dict)
    """The best weights, after the last pass."""

    def go_on(self, number: int, seconds: float) -> Report:
        """One more pass."""
        score, trouble = None, ""
        cpu, wall = time.process_time(), time.monotonic()
        self.deadline.at = wall + seconds
        try:
            score = next(self.scores)
        except StopIteration as over:
            self.trained = over.value or {}
        except Exception as error:
            if not is_of_trial(error):
                raise
            trouble = trouble_of(error)
        self.cpu_seconds += time.process_time() - cpu
        self.wall_seconds += time.monotonic() - wall
        used = Used(self.cpu_seconds, self.gpus * self.wall_seconds)
        return report(number, score, used, trouble)


class InProcess:
    """One trial at a time, in this process: nothing is sent anywhere."""

    slots, cores, under_way = 1, 1, Used()

    def __init__(self, workbench: Workbench, stopped: Stopped = never) -> None:
        """A pass ends early when `stopped` says so of its trial, or of all."""
        self._workbench, self._stopped = workbench, stopped
        self.gpus = int(torch.cuda.is_available())
        self._running: dict[int, Running] = {}

    def begin(self, number: int, values: Values) -> None:
        """Start a trial."""
        first, stopped = self._workbench.upcoming(values), self._stopped
        deadline = Deadline(lambda: stopped(None) or stopped(number))
        scores = self._scores(first, values, deadline)
        self._running[number] = Running(scores, deadline, self.gpus)

    def wait(self, seconds: float) -> Report | None:
        """One more pass of the trial."""
        [(number, running)] = self._running.items()
        return running.go_on(number, seconds)

    def quiet(self, number: int, check: Check = unhindered) -> None:
        """There is no other trial."""

    def trained(self, number: int, check: Check = unhindered) -> Weights:  # noqa: ARG002 - nobody is waited for
        """The best weights of a trial that has no pass left."""
        return self._running[number].trained

    def end(self, number: int) -> None:
        """Forget the trial."""
        self._running.pop(number, None)

    def close(self) -> None:
        """Nothing was begun elsewhere."""

    def _scores(
        self, training: TrainingJob | Ahead, values: Values, deadline: Deadline
    ) -> Generator[float, None, Weights]:
        """Of each pass; what is trained ahead is made within the first."""
        bench = self._workbench
        while isinstance(training, Ahead):
            learn(training, bench.material(training.job), deadline)
            training = bench.upcoming(values)
        return (yield from passes(training, bench.material(training), deadline))
