"""Trials that many workers train, each a Ray Train run as a retraining's teacher is.

The workers wait after each pass for leave to make the next, and go when their trial is over: a run
that is killed from outside would keep its cores. A run goes on from the newest checkpoint, whoever
died.
"""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import Any

import ray

from tasks.costs.meter import Used
from tasks.sweep.benches import DEATHS, TICK_SECONDS
from tasks.sweep.desk import Desk, Made
from tasks.sweep.passes import OUT_OF_BUDGET, Check, CutShort, Weights, scores_in, unhindered
from tasks.sweep.runners import Report, report
from tasks.sweep.saving import Saving, forget, nobody
from tasks.sweep.shares import Share
from tasks.sweep.shelf import Shelf
from tasks.sweep.space import Values
from tasks.sweep.workbench import Workbench, timed_material
from tasks.sweep_artifacts import STOPPED
from tasks.training.batches import check_shares
from tasks.training.checkpoint import CheckpointStore
from tasks.training.course import TrainState
from tasks.training.distributed import MAX_FAILURES, train_by_many
from tasks.training.group import Group
from tasks.training.job import TrainingJob, fitted_of, without_rows, work_kept
from tasks.training.keeper import Keeper

log = logging.getLogger(__name__)
WAIT, GO, OVER = range(3)
"""What a first worker says to the others after a pass."""
LOOK_SECONDS = 5.0
"""So often, where nothing is heard: the others would take it for dead in a minute."""
PATIENCE_SECONDS = 60.0
"""For workers to go when a search is over."""


class TeamKeeper(Keeper):
    """Saves and reports like any training's; waits after a pass, and ends where it is over."""

    def __init__(self, job: TrainingJob, saving: Saving, number: int, group: Group, desk: Any):
        super().__init__(saving.of(number), nobody, saving.within_a_pass, group.is_first)
        self._choose_by, self._number, self._group = job.course.choose_by, number, group
        self._desk = desk
        self._over = desk.ended.remote(number) if group.is_first else None

    def on_step(self, state: TrainState, total_steps: int) -> None:
        """Raises `CutShort` on all workers when the trial is over."""
        super().on_step(state, total_steps)
        is_over = self._group.is_first and bool(ray.wait([self._over], timeout=0)[0])
        if self._group.of_first(is_over):
            raise CutShort(STOPPED)

    def on_epoch(self, state: TrainState, total_steps: int) -> None:
        """Raises `CutShort` on all workers when the trial is over."""
        super().on_epoch(state, total_steps)
        leave = self._told(state) if self._group.is_first else None
        while (word := self._group.of_first(self._word(leave))) == WAIT:
            pass
        if word == OVER:
            raise CutShort(STOPPED)

    def _told(self, state: TrainState) -> Any:
        made = Made(tuple(scores_in(state.history, self._choose_by)), state.watch.used)
        return self._desk.passed.remote(self._number, made)

    def _word(self, leave: Any) -> int:
        if leave is None:
            return WAIT  # what the first worker says counts
        ready, _ = ray.wait([leave, self._over], timeout=LOOK_SECONDS)
        ray.get(ready)
        return WAIT if not ready else GO if ready == [leave] else OVER


def learn(
    number: int, job_ref: Any, material: list[Any], saving: Saving, desk: Any, group: Group
) -> None:
    """One worker's whole part of a trial."""
    job = ray.get(job_ref)
    keeper = TeamKeeper(job, saving, number, group, desk)
    try:
        work_kept(job, saving.of(number), group, keeper, ray.get(material[0]))
    except CutShort:
        keeper.finish()


@dataclass
class Led:
    """A trial that its workers are training."""

    job: TrainingJob
    store: CheckpointStore
    before: Used
    """By whoever made what it learns from."""
    run: Future[None]
    """Done when the workers have gone."""
    earlier: Used
    """By its first worker, before a kill of whoever searched; the checkpoint says so."""
    made: Made = field(default_factory=Made)
    told: int = 0
    """Passes that were reported."""
    since: float = field(default_factory=time.monotonic)
    """When leave was given for the next."""
    trouble: str = ""

    @property
    def has_news(self) -> bool:
        """Whether there is something to report."""
        return self.told < len(self.made.scores) or self.run.done()

    @property
    def cost(self) -> Used:
        """Of the trial."""
        if not self.made.scores:
            return self.before
        since = self.made.used.minus(self.earlier)
        return self.before.plus(since.times(self.job.compute.workers))

    def take_final(self, number: int) -> None:
        """What the workers have left, or what kept them from it."""
        if (failed := self.run.exception()) is not None:
            self.trouble = why_failed(number, failed)
            return
        newest = self.store.latest()
        assert newest is not None, f"{self.store.path}: the workers ended and left nothing"
        scores = scores_in(newest.facts["history"], self.job.course.choose_by)
        self.made = Made(tuple(scores), Used(*newest.facts["used"]))
        self.trouble = newest.facts["trouble"] or ""


def why_failed(number: int, error: BaseException) -> str:
    """Why the workers of a trial were not replaced any more; raises what else went wrong."""
    from ray.train import WorkerGroupError  # as in `tasks.training.distributed`

    if not isinstance(error, WorkerGroupError):
        raise error
    whys = {said_of(why) for why in error.worker_failures.values()}
    sentence = f"its workers failed {MAX_FAILURES + 1} times: {'; '.join(sorted(whys))}"
    log.warning("trial %d: %s", number, sentence)
    return sentence


def said_of(error: BaseException) -> str:
    """The end of a traceback, or of what Ray says its first line."""
    if isinstance(getattr(error, "health_check_failure", None), DEATHS):
        return "a process died"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1 if lines[0].startswith("Traceback") else 0]


@dataclass
class Teams:
    """So many trials at a time, each by `each.workers`."""

    workbench: Workbench
    slots: int
    each: Share
    saving: Saving
    _going: dict[int, Led] = field(default_factory=dict)
    _ended: dict[int, Future[None]] = field(default_factory=dict)
    _materials: Shelf[tuple[Any, Used]] = field(default_factory=Shelf)

    def __post_init__(self) -> None:
        again = {"max_restarts": -1, "max_task_retries": -1}
        desk: Any = ray.remote(Desk)
        self._desk = desk.options(num_cpus=0, **again).remote()

    @property
    def cores(self) -> float:
        """Of all trials that run, or of the next."""
        return self.each.of(len(self._going))[0]

    @property
    def gpus(self) -> float:
        """Of all trials that run, or of the next."""
        return self.each.of(len(self._going))[1]

    @property
    def under_way(self) -> Used:
        """What teams hold that have had leave and whose pass has not ended."""
        now = time.monotonic()
        going = [led for led in self._going.values() if not led.has_news]
        return self.each.held(sum(now - led.since for led in going))

    def begin(self, number: int, values: Values) -> None:
        """Start a trial; `ValueError` for values with which there is none."""
        job = self.workbench.job(values)
        size, workers = job.course.batch_size, self.each.workers
        check_shares(len(job.train), size, workers, "sweep.search.workers")
        is_first = self._materials.find(job) is None
        material, took = self._materials.get(job, lambda: self._made(job))
        compute = job.compute.model_copy(update={"workers": workers})
        job = replace(without_rows(job), compute=compute)
        about = number, ray.put(job), [material], self.saving, self._desk
        store = self.saving.of(number)
        newest = store.latest()
        earlier = Used(*newest.facts["used"]) if newest else Used()
        run = _started(lambda: train_by_many(compute, store, lambda group: learn(*about, group)))
        self._going[number] = Led(job, store, took if is_first else Used(), run, earlier)

    def wait(self, seconds: float) -> Report | None:
        """The next pass of any trial, for which leave is given here."""
        for number, led in self._going.items():
            if seconds <= 0 and not led.has_news:
                used = led.cost.plus(self.each.held(time.monotonic() - led.since))
                return report(number, None, used, OUT_OF_BUDGET)
        self._look(max(0.0, min(TICK_SECONDS, seconds)))
        ready = [number for number, led in self._going.items() if led.has_news]
        return self._next(ready[0]) if ready else None

    def quiet(self, number: int, check: Check = unhindered) -> None:
        """Wait until the others' workers wait; that trial is not given leave meanwhile."""
        others = {each: led for each, led in self._going.items() if each != number}
        while not all(led.has_news for led in others.values()):
            check()
            self._look(TICK_SECONDS, others)

    def trained(self, number: int, check: Check = unhindered) -> Weights:
        """The best weights of a trial that has no pass left, when the others' passes have ended."""
        self.quiet(number, check)
        fitted = fitted_of(self._going[number].store)
        assert fitted is not None, "a trial has trained before it is asked for"
        return fitted.trained

    def end(self, number: int) -> None:
        """Let the workers of a trial go, wherever they are; nothing of it is kept."""
        led = self._going.pop(number, None)
        if led is None:
            return
        self._ended[number] = led.run
        self._look(0.0)
        led.run.add_done_callback(lambda _: forget(led.store))

    def close(self) -> None:
        """End whatever was begun."""
        for number in list(self._going):
            self._ended[number] = self._going.pop(number).run
        self._look(0.0)
        wait(self._ended.values(), timeout=PATIENCE_SECONDS)
        ray.kill(self._desk)

    def _look(self, seconds: float, of: Mapping[int, Led] | None = None) -> None:
        """Hear what has come of trials, of all that run if none are named, and give them leave."""
        going = self._going if of is None else of
        told = {number: led.told for number, led in going.items()}
        found: dict[int, Made] = ray.get(self._desk.look.remote(told, [*self._ended], seconds))
        for number, made in found.items():
            led = self._going[number]
            led.made = max(led.made, made, key=lambda each: len(each.scores))

    def _next(self, number: int) -> Report:
        led = self._going[number]
        if led.told >= len(led.made.scores):
            led.take_final(number)
        if led.told >= len(led.made.scores):
            return report(number, None, self._cost(led), led.trouble)
        led.told, led.since = led.told + 1, time.monotonic()
        return report(number, led.made.scores[led.told - 1], led.cost)

    def _cost(self, led: Led) -> Used:
        """Of a trial that is over; what workers held that died they have not reported."""
        lost = time.monotonic() - led.since if led.run.exception() else 0.0
        return led.cost.plus(self.each.held(lost))

    def _made(self, job: TrainingJob) -> tuple[Any, Used]:
        """Where what the trial learns from stands in the object store, and what it took."""
        if (found := self.workbench.materials.find(job)) is not None:
            return ray.put(found), Used()
        gpus = 1 if self.each.gpus else 0
        make: Any = ray.remote(num_cpus=1, num_gpus=gpus, num_returns=2)(timed_material)
        material, took = make.remote(job)
        try:
            cpu, _ = ray.get(took)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        return material, Used(cpu)


def _started(call: Callable[[], None]) -> "Future[None]":
    """The call in a thread of its own: Ray Train takes over Ctrl-C in the main one."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            call()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(None)

    Thread(target=run, name="ray-fit", daemon=True).start()
    return future
