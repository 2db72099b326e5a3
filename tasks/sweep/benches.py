"""Trials side by side, each in a process of the cluster that stays warm.

What they share is made by the process that needs it first, which has the hardware for it, and
stands once in Ray's object store: arrays are read there, not copied.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import ray

from tasks.costs.meter import Used
from tasks.sweep.passes import Check, CutShort, Deadline, Weights, unhindered
from tasks.sweep.population import Leg
from tasks.sweep.runners import Report, Running, begun, is_of_trial, trouble_of
from tasks.sweep.saving import Saved, Saving, forget
from tasks.sweep.shares import Share
from tasks.sweep.shelf import Shelf
from tasks.sweep.space import Values
from tasks.sweep.workbench import Took, Workbench, timed_material
from tasks.training.course import Material
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


class Bench:
    """What a warm process does: one trial after the other."""

    def __init__(self, gpus: float, saving: Saving | None) -> None:
        self._gpus, self._saving = gpus, saving
        self._running: Running | None = None
        self._saved: Saved | None = None

    def material(self, job: TrainingJob) -> tuple[Material, Took]:
        """What trials like this one learn from, and what it took to make it."""
        return timed_material(job)

    def begin(
        self,
        number: int,
        job: TrainingJob,
        material: Material,
        took: Took,
        passed: int,
        leg: Leg | None = None,
    ) -> float:
        """Start a trial instead of the one before it; passes that were reported are gone through.

        They are the same again, from where it was saved or from its beginning: the state of a
        trial is a function of its settings. Returned are the seconds for which others worked for
        it.
        """
        self._saved = self._saving.trial(number, leg) if self._saving else None
        deadline = self._saved.deadline if self._saved else Deadline()
        newest = self._saved.newest if self._saved else None
        self._running = running = begun(job, lambda: material, self._gpus, deadline, newest)
        if leg is not None:
            running.scores = islice(running.scores, leg.start, leg.end)
            self._saved = None  # what it leaves is another trial's beginning
        cpu, wall = time.process_time(), time.monotonic()
        for _ in range(passed):
            next(running.scores)
        running.cpu_seconds = took[0] + time.process_time() - cpu
        running.wall_seconds = took[1] + time.monotonic() - wall
        return took[0]

    def go_on(self, number: int, seconds: float, worked: float) -> Report:
        """One more pass; `worked` is what `begin` returned, and fails where that did."""
        assert self._running is not None, "a trial goes on after it has begun"
        return self._running.go_on(number, seconds - worked)

    def end(self) -> None:
        """The trial is over: nothing of it need be saved any more."""
        if self._saved:
            self._saved.forget()
        self._running = self._saved = None

    def trained(self) -> Weights:
        """The best weights of the trial, which has no pass left."""
        assert self._running is not None, "a trial has trained before it ends"
        return self._running.trained


@dataclass
class Given:
    """A trial that has a process."""

    job: TrainingJob
    bench: Any
    worked: Any = 0.0
    """What the call of `begin` returns, until a pass has come of it."""
    passed: int = 0
    """Passes that were reported."""
    since: float = 0.0
    """When the call was made that it is in, on the monotonic clock."""
    deaths: int = 0
    """Of its processes."""
    lost: Used = field(default_factory=Used)
    """What processes have used for it that died."""
    used: Used = field(default_factory=Used)
    """What has been used for it, by them too, when it was last heard of."""


@dataclass(frozen=True, slots=True)
class Made:
    """What trials share."""

    material: Any
    """Where it stands in the object store."""
    took: Any
    by: int
    """The trial that it was made for, whose cost it is."""


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
        job = self.workbench.job(values)
        self._busy[number] = Given(job, self._free.pop())
        self._start(number)

    def wait(self, seconds: float) -> Report | None:
        """The next pass of any trial; a process that died is replaced, its trial begun again.

        One whose processes die again and again is given up: its settings may be what kills them.
        """
        for number, given in self._busy.items():
            if number not in self._calls.values():
                given.since = time.monotonic()
                self._calls[given.bench.go_on.remote(number, seconds, given.worked)] = number
        ready, _ = ray.wait(list(self._calls), num_returns=1, timeout=TICK_SECONDS)
        if not ready:
            return None
        number = self._calls.pop(ready[0])
        try:
            report: Report = ray.get(ready[0])
        except DEATHS as error:
            why = self._died(number, error)
            return Report(number, None, *self._busy[number].used, why) if why else None
        except Exception as error:  # of what is shared
            if not is_of_trial(error):
                raise
            why = trouble_of(getattr(error, "cause", error))
            return Report(number, None, *self._busy[number].used, why)
        given = self._busy[number]
        given.passed, given.worked = given.passed + 1, 0.0
        given.used = given.lost.plus(Used(report.cpu_seconds, report.gpu_seconds))
        return replace(report, cpu_seconds=given.used.cpu, gpu_seconds=given.used.gpu)

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

    def _start(self, number: int) -> None:
        given = self._busy[number]
        made = self._materials.get(given.job, lambda: self._made(number, given))
        took = made.took if made.by == number else NOTHING
        job = without_rows(given.job)
        leg = self.leg_of(number) if self.leg_of else None
        rest = took, given.passed, leg
        given.worked = given.bench.begin.remote(number, job, made.material, *rest)
        if leg and self.saving:
            for each in leg.outdated:
                forget(self.saving.of(each))

    def _made(self, number: int, given: Given) -> Made:
        if (found := self.workbench.materials.find(given.job)) is not None:
            return Made(ray.put(found), NOTHING, number)
        material, took = given.bench.material.options(num_returns=2).remote(given.job)
        return Made(material, took, number)

    def _died(self, number: int, error: Exception) -> str:
        """Begin the trial again in a new process; a sentence when too many have died of it."""
        given = self._busy[number]
        given.deaths += 1
        # What it used since its last report nobody says any more: its share was held.
        given.lost = given.used = given.used.plus(self.each.held(time.monotonic() - given.since))
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
