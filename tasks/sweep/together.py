"""Trials that are trained together as one batched program, a crew after the other."""

import time
from dataclasses import dataclass, field

import torch

from tasks.costs.meter import Used
from tasks.sweep.apart import why_apart
from tasks.sweep.crew import Crew
from tasks.sweep.passes import Check, Deadline, Stopped, Weights, never, unhindered
from tasks.sweep.runners import Report, report
from tasks.sweep.space import Values
from tasks.sweep.workbench import Workbench
from tasks.training.device import use_allotted_threads
from tasks.training.job import TrainingJob


@dataclass
class Together:
    """All trials that were begun make the next pass at once; a crew is whole before it starts.

    What a choice that was not foreseen keeps from being trained with the others is a `ValueError`.
    """

    under_way = Used()
    """Nobody is asked before a pass of all has ended."""
    workbench: Workbench
    most: int
    """Trials in a crew."""
    stopped: Stopped = never
    """Ends a pass early when it says so of the whole sweep."""
    cores: int = 1
    gpus: int = field(default_factory=lambda: int(torch.cuda.is_available()))
    _begun: dict[int, TrainingJob] = field(default_factory=dict)
    _reports: list[Report] = field(default_factory=list)
    _crew: Crew | None = None
    _numbers: list[int] = field(default_factory=list)
    """Of the crew's members, in their order."""
    _live: set[int] = field(default_factory=set)
    _seconds: dict[int, float] = field(default_factory=dict)

    @property
    def slots(self) -> int:
        """No trial joins a crew that has started."""
        return self.most if self._crew is None else len(self._live)

    def quiet(self, number: int, check: Check = unhindered) -> None:
        """A crew makes its passes when it is waited for."""

    def trained(self, number: int, check: Check = unhindered) -> Weights:  # noqa: ARG002 - nobody is waited for
        """Nobody asks: the weights of many are one tensor."""
        raise ValueError(f"trial {number} was trained together with others: it is not exported")

    def begin(self, number: int, values: Values) -> None:
        """Take a trial into the next crew."""
        self._begun[number] = self.workbench.job(values)
        self._live.add(number)
        self._seconds[number] = 0.0

    def wait(self, seconds: float) -> Report | None:
        """The next pass of any trial: that of all is made when the last one's was reported."""
        if not self._reports:
            self._make_pass(seconds)
        return self._reports.pop(0) if self._reports else None

    def end(self, number: int) -> None:
        """Take a trial out of its crew."""
        self._live.discard(number)
        self._begun.pop(number, None)
        if not self._live:
            self._crew, self._reports = None, []

    def close(self) -> None:
        """Nothing was begun elsewhere."""

    def _make_pass(self, seconds: float) -> None:
        use_allotted_threads()
        began, deadline = time.process_time(), Deadline(lambda: self.stopped(None))
        deadline.at = time.monotonic() + seconds
        if self._crew is None:
            self._numbers = list(self._begun)
            jobs = list(self._begun.values())
            if why := why_apart(jobs):
                raise ValueError(
                    f"sweep.search.engine together: {why}; allowed: in_process, actors"
                )
            self._crew = Crew(jobs, self.workbench.material(jobs[0]))
            self._begun = {}
        crew = self._crew
        crew.keep([row for row in crew.live if self._numbers[row] in self._live])
        rows = list(crew.live)
        trouble = ""
        for _ in crew.steps():
            if trouble := deadline.why_over():
                break
        if not trouble:
            crew.end_epoch()
        share = (time.process_time() - began) / len(rows)
        for row in rows:
            self._seconds[self._numbers[row]] += share
        self._reports = [self._report(row, trouble) for row in rows]
        if not trouble:
            over = [row for row in rows if crew.members[row].is_over]
            self._reports += [self._last(row) for row in over]

    def _report(self, row: int, trouble: str) -> Report:
        assert self._crew is not None, "a report is of a crew"
        member, number = self._crew.members[row], self._numbers[row]
        trouble = trouble or member.trouble
        score = None if trouble else member.scores[-1]
        return report(number, score, Used(self._seconds[number]), trouble)

    def _last(self, row: int) -> Report:
        number = self._numbers[row]
        return Report(number, None, self._seconds[number], 0.0)
