"""A warm process of the cluster, which makes one trial after the other."""

import time
from itertools import islice

from tasks.costs.meter import Used
from tasks.sweep.ahead import Ahead, learn
from tasks.sweep.passes import Deadline, Weights, passes
from tasks.sweep.population import Leg
from tasks.sweep.runners import Report, Running, is_of_trial, trouble_of
from tasks.sweep.saving import Saved, Saving
from tasks.sweep.workbench import Took, timed_material
from tasks.training.course import Material
from tasks.training.job import TrainingJob


class Bench:
    """What a warm process does: one trial after the other."""

    def __init__(self, gpus: float, saving: Saving | None) -> None:
        self._gpus, self._saving = gpus, saving
        self._running: Running | None = None
        self._saved: Saved | None = None

    def material(self, job: TrainingJob) -> tuple[Material, Took]:
        """What trials like this one learn from, and what it took to make it."""
        return timed_material(job)

    def learn(
        self, number: int, ahead: Ahead, material: Material, took: Took, seconds: float
    ) -> Used | Report:
        """Train what a trial needs before it begins; what was used for that, `took` included, and
        the trouble where it came to one."""
        cpu, wall, deadline, trouble = time.process_time(), time.monotonic(), Deadline(), ""
        deadline.at = wall + seconds - took[0]
        try:
            learn(ahead, material, deadline)
        except Exception as error:
            if not is_of_trial(error):
                raise
            trouble = trouble_of(error)
        cpu, wall = took[0] + time.process_time() - cpu, took[1] + time.monotonic() - wall
        used = Used(cpu, self._gpus * wall)
        return Report(number, None, *used, trouble) if trouble else used

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
        scores = passes(job, material, deadline, newest)
        self._running = running = Running(scores, deadline, self._gpus)
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
