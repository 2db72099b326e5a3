"""Trials side by side, each in a process of the cluster that stays warm.

What they share is made by the process that needs it first, which has the hardware for it, and
stands once in Ray's object store: arrays are read there, not copied.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import ray

from tasks.costs.meter import Used
from tasks.sweep.ahead import Ahead
from tasks.sweep.passes import Check, CutShort, Weights, unhindered
from tasks.sweep.population import Leg
from tasks.sweep.runners import Report, is_of_trial, trouble_of
from tasks.sweep.saving import Saving, forget
from tasks.sweep.shares import Share
from tasks.sweep.shelf import Shelf
from tasks.sweep.space import Values
from tasks.sweep.warm import Bench
from tasks.sweep.workbench import Took, Workbench
from tasks.training.distributed import MAX_FAILURES
from tasks.training.job import TrainingJob, without_rows

log = logging.getLogger(__name__)
TICK_SECONDS = 0.5
"""Whoever waits for trials looks up so often."""
PATIENCE_SECONDS = 60.0
"""For the last trials' checkpoints to be dropped."""
NOTHING: Took = (0.0, 0.0)
DEATHS = (
    ray.exceptions.RayActorError,
    ray.exceptions.ObjectLostError,
    ray.exceptions.OutOfMemoryError,  # what Ray kills for want of memory is no RayActorError
)
"""A process is gone, or with it what was shared."""


@dataclass
class Given:
    """A trial that has a process."""

    values: Values
    training: TrainingJob | Ahead
    """Its own, or one ahead of it that nobody has made."""
    bench: Any
    worked: Any = 0.0
    """What the call of `begin` returns, until a pass has come of it."""
    call: Callable[[float], Any] = field(init=False)
    """What its process does next, within so many seconds."""
    passed: int = 0
    """Passes that were reported."""
    since: float = 0.0
    """When the call was made that it is in, on the monotonic clock."""
    deaths: int = 0
    """Of its processes."""
    before: Used = field(default_factory=Used)
    """What processes have used for it that died, and for what is trained ahead of it."""
    used: Used = field(default_factory=Used)
    """What has been used for it, by them too, when it was last heard of."""


@dataclass(frozen=True, slots=True)
class Made:
    """What trials share."""

    material: Any
    """Where it stands in the object store."""
    took: Any
    """Paid by the trial that it was made for."""


@dataclass
class Actors:
    """So many trials at a time; rows travel once to each machine."""

    workbench: Workbench
    slots: int
    each: Share = field(default_factory=Share)
    saving: Saving | None = None
    leg_of: Callable[[int], Leg] | None = None
    """Of a population: which passes of a training the trial of a number makes."""
    _free: list[Any] = field(default_factory=list)
    _busy: dict[int, Given] = field(default_factory=dict)
    _calls: dict[Any, int] = field(default_factory=dict)
    """The call that each busy trial is in."""
    _materials: Shelf[Made] = field(default_factory=Shelf)
    _endings: list[Any] = field(default_factory=list)
    """Calls of `end` that may be under way."""

    @property
    def cores(self) -> float:
        """Of all trials that run, or of the next."""
        return self.each.of(len(self._busy))[0]

    @property
    def gpus(self) -> float:
        """Of all trials that run, or of the next."""
        return self.each.of(len(self._busy))[1]

    @property
    def under_way(self) -> Used:
        """What calls hold that no report has come of."""
        now = time.monotonic()
        return self.each.held(sum(now - self._busy[of].since for of in self._calls.values()))

    def __post_init__(self) -> None:
        self._free = [self._new_bench() for _ in range(self.slots)]

    def begin(self, number: int, values: Values) -> None:
        """Start a trial in a free process; `ValueError` for values with which there is none."""
        training = self.workbench.upcoming(values)
        self._busy[number] = Given(values, training, self._free.pop())
        self._start(number)

    def wait(self, seconds: float) -> Report | None:
        """The next pass of any trial; a process that died is replaced, its trial begun again.

        One whose processes die again and again is given up: its settings may be what kills them.
        """
        for number, given in self._busy.items():
            if number not in self._calls.values():
                given.since = time.monotonic()
                self._calls[given.call(seconds)] = number
        ready, _ = ray.wait(list(self._calls), num_returns=1, timeout=TICK_SECONDS)
        if not ready:
            return None
        number = self._calls.pop(ready[0])
        try:
            news: Report | Used = ray.get(ready[0])
        except DEATHS as error:
            why = self._died(number, error)
            return Report(number, None, *self._busy[number].used, why) if why else None
        except Exception as error:  # of what is shared, or made ahead
            if not is_of_trial(error):
                raise
            why = trouble_of(getattr(error, "cause", error))
            return Report(number, None, *self._busy[number].used, why)
        given = self._busy[number]
        if isinstance(news, Used):
            return self._come_nearer(number, news)
        given.passed, given.worked = given.passed + 1, 0.0
        given.used = given.before.plus(Used(news.cpu_seconds, news.gpu_seconds))
        return replace(news, cpu_seconds=given.used.cpu, gpu_seconds=given.used.gpu)

    def quiet(self, number: int, check: Check = unhindered) -> None:
        """Wait for the passes that are under way; nobody is told yet what came of them."""
        assert number not in self._calls.values(), "a trial is asked about between two passes"
        waiting = list(self._calls)
        while waiting:
            check()
            _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=TICK_SECONDS)

    def trained(self, number: int, check: Check = unhindered) -> Weights:
        """The best weights of a trial that has no pass left, when the others' passes have ended.

        Raises `CutShort` when its processes die again and again.
        """
        self.quiet(number, check)
        given = self._busy[number]
        again: list[Any] = []
        passed = given.passed - 1  # the last report was that no pass is left
        while True:
            given.since = time.monotonic()
            try:
                ray.get(again)
                found: Weights = ray.get(given.bench.trained.remote())
                return found
            except DEATHS as error:
                given.passed = passed
                if why := self._died(number, error):
                    raise CutShort(why) from None
                again = [given.bench.go_on.remote(number, math.inf, given.worked)]

    def end(self, number: int) -> None:
        """Free the process of a trial; one that is in a pass, or dead, is replaced."""
        given = self._busy.pop(number, None)
        if given is None:
            return
        calls = [call for call, of in self._calls.items() if of == number]
        if not calls and given.deaths < MAX_FAILURES:
            self._endings.append(given.bench.end.remote())
            self._free.append(given.bench)
            return
        for call in calls:
            del self._calls[call]
        ray.kill(given.bench)
        self._free.append(self._new_bench())
        if self.saving:
            forget(self.saving.of(number))

    def close(self) -> None:
        """End all processes."""
        if self._endings:
            ray.wait(self._endings, num_returns=len(self._endings), timeout=PATIENCE_SECONDS)
        for bench in [*self._free, *(given.bench for given in self._busy.values())]:
            ray.kill(bench)

    def _come_nearer(self, number: int, used: Used) -> Report | None:
        """Something ahead of a trial was trained: what is next? A report where nothing can be."""
        given = self._busy[number]
        given.before = given.used = given.before.plus(used)
        try:
            given.training = self.workbench.upcoming(given.values)
        except Exception as error:
            if not is_of_trial(error):
                raise
            return Report(number, None, *given.used, trouble_of(error))
        self._start(number)
        return None

    def _start(self, number: int) -> None:
        given, training = self._busy[number], self._busy[number].training
        job = training.job if isinstance(training, Ahead) else training
        is_first = self._materials.find(job) is None
        made = self._materials.get(job, lambda: self._made(given.bench, job))
        took = made.took if is_first else NOTHING
        if isinstance(training, Ahead):
            ahead = replace(training, job=without_rows(job))
            given.call = partial(given.bench.learn.remote, number, ahead, made.material, took)
            return
        leg = self.leg_of(number) if self.leg_of else None
        rest = took, given.passed, leg
        given.worked = given.bench.begin.remote(number, without_rows(job), made.material, *rest)
        given.call = lambda seconds: given.bench.go_on.remote(number, seconds, given.worked)
        if leg and self.saving:
            for each in leg.outdated:
                forget(self.saving.of(each))

    def _made(self, bench: Any, job: TrainingJob) -> Made:
        if (found := self.workbench.materials.find(job)) is not None:
            return Made(ray.put(found), NOTHING)
        return Made(*bench.material.options(num_returns=2).remote(job))

    def _died(self, number: int, error: Exception) -> str:
        """Begin the trial again in a new process; a sentence when too many have died of it."""
        given = self._busy[number]
        given.deaths += 1
        # What it used since its last report nobody says any more: its share was held.
        given.before = given.used = given.used.plus(self.each.held(time.monotonic() - given.since))
        self._materials.clear()  # what was shared may have been lost with the old one
        count = f"{given.deaths} of {MAX_FAILURES} times"
        log.warning("trial %d: its process died, %s: %s", number, count, type(error).__name__)
        if given.deaths >= MAX_FAILURES:
            return f"its process died {given.deaths} times"
        ray.kill(given.bench)
        given.bench = self._new_bench()
        self._start(number)
        return ""

    def _new_bench(self) -> Any:
        make: Any = ray.remote(num_cpus=self.each.cores, num_gpus=self.each.gpus)(Bench)
        return make.remote(self.each.gpus, self.saving)
