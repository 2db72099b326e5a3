"""Where trials run: here one after the other, or side by side in warm processes of the cluster."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import ray
import torch

from tasks.sweep.passes import CutShort, Deadline, Stopped, never, passes
from tasks.sweep.space import Values
from tasks.sweep.workbench import Workbench
from tasks.training.gradients import Diverged

TICK_SECONDS = 0.5
"""Whoever waits for trials looks up so often."""


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


class Runner(Protocol):
    """Trials are begun, waited for a pass at a time, and ended."""

    gpus: int
    """Of each trial."""

    @property
    def slots(self) -> int:
        """How many trials may be running now."""
        ...

    @property
    def cores(self) -> int:
        """How many cores they use together."""
        ...

    def begin(self, number: int, values: Values) -> None:
        """Start a trial in a free slot."""
        ...

    def wait(self, seconds: float) -> Report | None:
        """The next pass of any trial; None when nothing came within a tick.

        No trial is to use more than `seconds` from now.
        """
        ...

    def end(self, number: int) -> None:
        """Free the slot of a trial."""
        ...

    def close(self) -> None:
        """End whatever was begun."""
        ...


@dataclass
class Running:
    """A trial somewhere in its passes."""

    scores: Iterator[float]
    deadline: Deadline
    gpus: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0

    def go_on(self, number: int, seconds: float) -> Report:
        """One more pass."""
        score, trouble = None, ""
        cpu, wall = time.process_time(), time.monotonic()
        self.deadline.at = wall + seconds
        try:
            score = next(self.scores, None)
        except (CutShort, Diverged, ValueError) as error:
            trouble = str(error)
        self.cpu_seconds += time.process_time() - cpu
        self.wall_seconds += time.monotonic() - wall
        if score is not None and not math.isfinite(score):
            score, trouble = None, f"score {score}"
        return Report(number, score, self.cpu_seconds, self.gpus * self.wall_seconds, trouble)


def begun(
    workbench: Workbench, values: Values, is_stopped: Callable[[], bool] = lambda: False
) -> Running:
    """A trial before its first pass; it is that pass which says what is wrong with it."""
    deadline = Deadline(is_stopped)

    def scores() -> Iterator[float]:
        job = workbench.job(values)
        yield from passes(job, workbench.material(job), deadline)

    return Running(scores(), deadline, int(torch.cuda.is_available()))


class InProcess:
    """One trial at a time, in this process: nothing is sent anywhere."""

    slots, cores = 1, 1

    def __init__(self, workbench: Workbench, stopped: Stopped = never) -> None:
        """A pass ends early when `stopped` says so of its trial, or of all."""
        self._workbench, self._stopped = workbench, stopped
        self.gpus = int(torch.cuda.is_available())
        self._running: dict[int, Running] = {}

    def begin(self, number: int, values: Values) -> None:
        """Start a trial."""
        stopped = self._stopped
        self._running[number] = begun(
            self._workbench, values, lambda: stopped(None) or stopped(number)
        )

    def wait(self, seconds: float) -> Report | None:
        """One more pass of the trial."""
        [(number, running)] = self._running.items()
        return running.go_on(number, seconds)

    def end(self, number: int) -> None:
        """Forget the trial."""
        del self._running[number]

    def close(self) -> None:
        """Nothing was begun elsewhere."""


class Bench:
    """What a warm process of the cluster does: one trial after the other."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._running: dict[int, Running] = {}

    def begin(self, number: int, values: Values, passed: int) -> None:
        """Start a trial instead of the one before it; passes that were reported are gone through.

        They are the same again: the state of a trial is a function of its settings.
        """
        running = begun(self._workbench, values)
        self._running = {number: running}
        for _ in range(passed):
            next(running.scores)

    def go_on(self, number: int, seconds: float) -> Report:
        """One more pass."""
        return self._running[number].go_on(number, seconds)


@dataclass
class Actors:
    """Trials side by side, each in a process that stays warm; rows travel once to each machine."""

    workbench: Workbench
    slots: int
    gpus: int = 0
    _free: list[Any] = field(default_factory=list)
    _busy: dict[int, Any] = field(default_factory=dict)
    _values: dict[int, Values] = field(default_factory=dict)
    _passed: dict[int, int] = field(default_factory=dict)
    """Passes of each trial that were reported."""
    _calls: dict[Any, int] = field(default_factory=dict)
    """The call that each busy trial is in."""

    @property
    def cores(self) -> int:
        """One a trial."""
        return len(self._busy)

    def __post_init__(self) -> None:
        self._shared = ray.put(self.workbench)
        self._free = [self._new_bench() for _ in range(self.slots)]

    def begin(self, number: int, values: Values) -> None:
        """Start a trial in a free process."""
        self._busy[number], self._values[number] = self._free.pop(), values
        self._passed[number] = 0
        self._busy[number].begin.remote(number, dict(values), 0)

    def wait(self, seconds: float) -> Report | None:
        """The next pass of any trial; a process that died is replaced, its trial begun again."""
        for number, bench in self._busy.items():
            if number not in self._calls.values():
                self._calls[bench.go_on.remote(number, seconds)] = number
        ready, _ = ray.wait(list(self._calls), num_returns=1, timeout=TICK_SECONDS)
        if not ready:
            return None
        number = self._calls.pop(ready[0])
        try:
            report: Report = ray.get(ready[0])
        except ray.exceptions.RayActorError:
            bench = self._busy[number] = self._new_bench()
            bench.begin.remote(number, dict(self._values[number]), self._passed[number])
            return None
        self._passed[number] += 1
        return report

    def end(self, number: int) -> None:
        """Free the process of a trial; one that is in the middle of a pass is replaced."""
        bench = self._busy.pop(number)
        calls = [call for call, of in self._calls.items() if of == number]
        if calls:
            del self._calls[calls[0]]
            ray.kill(bench)
            bench = self._new_bench()
        self._free.append(bench)

    def close(self) -> None:
        """End all processes."""
        for bench in [*self._free, *self._busy.values()]:
            ray.kill(bench)

    def _new_bench(self) -> Any:
        make: Any = ray.remote(num_cpus=1)(Bench)
        return make.remote(self._shared)
