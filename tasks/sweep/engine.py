"""The loop of a sweep: ask, try a pass, tell; until nothing is left to try, or to spend."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import optuna
from optuna.trial import Trial, TrialState

from tasks.costs.meter import Used, process_seconds
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.fronts import goes_on, is_rung
from tasks.sweep.going import Going
from tasks.sweep.passes import OUT_OF_BUDGET, Check, CutShort
from tasks.sweep.population import may_begin
from tasks.sweep.progress import Progress, progress_of
from tasks.sweep.runners import Report, Runner, is_of_trial, trouble_of
from tasks.sweep.space import Space
from tasks.sweep.spending import Ledger
from tasks.sweep.study import ask, ask_again, is_exhausted, unfinished
from tasks.sweep_artifacts import STOPPED

SPENT = "spent"
COST, TROUBLE = "seconds", "trouble"
"""CPU and GPU seconds of a trial; why it ended early."""
WHOLE = "every trial was made"
BEGUN = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True, slots=True)
class End:
    """How a trial ended."""

    state: TrialState
    values: tuple[float, ...]
    """Of each objective, of one that is complete."""
    cpu_seconds: float
    gpu_seconds: float


class Watcher(Protocol):
    """Who is told of trials, and may stop them."""

    def on_begin(self, trial: Trial) -> None:
        """A trial begins, perhaps again."""
        ...

    def on_score(self, trial: Trial, epoch: int, score: float) -> None:
        """After a pass."""
        ...

    def on_end(self, trial: Trial, end: End) -> None:
        """Finished, given up or failed."""
        ...

    def on_progress(self, progress: Progress) -> None:
        """Now and then, and at the end."""
        ...

    def stopped(self, number: int | None) -> bool:
        """Whether somebody asks for the end of that trial, or of the whole sweep (None)."""
        ...


Measure = Callable[[Trial, Used, float, Check], list[float]]
"""From a trial, what its passes have used and its best score to the value of each objective; asked
between two measurements is whether there is to be another."""


@dataclass
class Sweep:
    """All that one search for settings works with."""

    study: optuna.Study
    space: Space
    search: SearchConfig
    budget: SweepBudget
    ledger: Ledger
    runner: Runner
    watcher: Watcher
    measure: Measure
    """Of a trial that has made all its passes."""
    passes: int
    """Of a whole trial: after the last of them none is given up."""
    metric: str = "score"
    """What is sought, as people call it, where it is one objective."""
    measure_at_rung: Measure | None = None
    """Of one that is judged among several objectives; None: nobody is."""
    busy: Callable[[], float] = process_seconds
    """CPU seconds of this process."""
    going: dict[int, Going] = field(default_factory=dict)

    def run(self) -> str:
        """Try settings until nothing is left to try or to spend; a sentence about why it ended."""
        again = unfinished(self.study)
        self.tell()
        while True:
            why = self.why_over()
            while not why and self.has_room():
                if again:
                    self.begin(ask_again(self.study, self.search, self.space, again.pop(0)))
                elif self.may_ask():
                    self.begin(ask(self.study, self.search, self.space))
                else:
                    break
            if why or not self.going:
                return self.over(why or self.why_over())  # a begin may take its time
            report = self.runner.wait(self.seconds_left())
            if report is not None and report.number in self.going:
                self.take(report)
            if self.ledger.is_due:
                self.save()
                self.tell()
            self.end_stopped()

    def has_room(self) -> bool:
        """Whether there is a slot, and something left to spend in it."""
        return len(self.going) < self.runner.slots and self.seconds_left() > 0

    def may_ask(self) -> bool:
        """Whether another trial may begin."""
        begun = len(self.study.get_trials(deepcopy=False, states=BEGUN))
        if begun >= self.budget.trials:
            return False
        if self.search.sampler == "population":
            return may_begin(self.study.get_trials(deepcopy=False), self.search, self.passes)
        return not is_exhausted(self.search, self.study)

    def why_over(self) -> str:
        """Why nothing goes on; nothing while it does."""
        if self.watcher.stopped(None):
            return STOPPED
        # By what was reported: passes under way end by themselves, and say what they have used.
        is_used = self.ledger.left(max(1, self.runner.cores), self.runner.gpus) <= 0
        return OUT_OF_BUDGET if is_used else ""

    def seconds_left(self) -> float:
        """Until the budget is used, if what is running goes on."""
        runner = self.runner
        return self.ledger.left(max(1, runner.cores), runner.gpus, runner.under_way)

    def over(self, why: str) -> str:
        """End what still runs, keeping what it found.

        A trial that the budget leaves unmeasured after its last pass stays for the next call.
        """
        for number, going in list(self.going.items()):
            if why != OUT_OF_BUDGET or not going.is_trained:
                self.finish(number, TrialState.PRUNED, why)
        self.save()
        self.tell()
        return why or WHOLE

    def tell(self) -> None:
        """Say how far it is."""
        left = self.seconds_left()
        told = progress_of(self.study, self.metric, self.budget, self.ledger, left)
        self.watcher.on_progress(told)

    def save(self) -> None:
        """Write down what was spent, and by whom."""
        for going in self.going.values():
            self.note_cost(going)
        self.ledger.save()

    def begin(self, trial: Trial) -> None:
        """Start a trial from its first pass; what it has used before a kill stays its cost."""
        before = Used(*trial.user_attrs.get(COST, Used()))
        self.going[trial.number] = Going(trial, before=before)
        self.watcher.on_begin(trial)
        try:
            self.runner.begin(trial.number, trial.params)
        except Exception as error:
            self.lose(trial.number, error)

    def lose(self, number: int, error: Exception) -> None:
        """A trial ends by what was raised; raises what is not of that trial alone."""
        if not is_of_trial(error):
            raise error
        state = TrialState.PRUNED if isinstance(error, CutShort) else TrialState.FAIL
        self.finish(number, state, trouble_of(error))

    def take(self, report: Report) -> None:
        """What a pass came to: a score, and then perhaps the end."""
        going = self.going[report.number]
        going.passes = Used(report.cpu_seconds, report.gpu_seconds)
        self.ledger.used(report.number, going.passes)
        if report.trouble:
            kept = TrialState.PRUNED if going.scores else TrialState.FAIL
            self.finish(report.number, kept, report.trouble)
        elif report.score is None:
            self.complete(going)
        else:
            going.scores.append(report.score)
            self.watcher.on_score(going.trial, len(going.scores), report.score)
            try:
                is_over = self.is_given_up(going)
            except Exception as error:
                self.lose(report.number, error)
                return
            if is_over:
                self.finish(report.number, TrialState.PRUNED, "")

    def is_given_up(self, going: Going) -> bool:
        """Whether the pruner ends a trial here; what it was told before a kill stays told."""
        if len(self.study.directions) > 1:
            return self.is_behind(going)
        epoch = len(going.scores)
        told = going.trial.storage.get_trial(going.trial._trial_id).intermediate_values
        if any(step > epoch for step in told):
            return False
        if epoch not in told:
            going.trial.report(going.scores[-1], epoch)
        return epoch < self.passes and going.trial.should_prune()

    def is_behind(self, going: Going) -> bool:
        """Whether a trial of several objectives has come to a rung and is given up there."""
        passed, measure = len(going.scores), self.measure_at_rung
        if measure is None or self.search.pruner == "none" or not is_rung(passed, self.passes):
            return False
        return not goes_on(self.study, going.trial, passed, lambda: self.measured(going, measure))

    def complete(self, going: Going) -> None:
        """All passes are done: the best of them counts."""
        going.is_trained = True
        try:
            values = self.measured(going, self.measure)
        except Exception as error:
            if str(error) != OUT_OF_BUDGET:  # else all is over
                self.lose(going.trial.number, error)
            return
        self.note_cost(going)
        self.study.tell(going.trial, values)
        self.free(going, TrialState.COMPLETE, values)

    def finish(self, number: int, state: TrialState, why: str) -> None:
        """A trial ends before its last pass."""
        going = self.going[number]
        if why:
            going.trial.set_user_attr(TROUBLE, why)
        if not going.scores:
            state = TrialState.FAIL
        self.note_cost(going)
        self.study.tell(going.trial, state=state)
        self.free(going, state)

    def measured(self, going: Going, measure: Measure) -> list[float]:
        """What `measure` says of a trial, whose cost that is.

        Raises `CutShort` where nothing is left to spend, or somebody asks for its end.
        """
        noted, best = self.busy(), max(going.scores, default=-math.inf)

        def note() -> None:
            nonlocal noted
            seconds = self.busy() - noted
            noted += seconds
            going.here += seconds
            self.ledger.used_here(seconds)

        def check() -> None:
            note()
            stop = STOPPED if self.watcher.stopped(going.trial.number) else ""
            if why := stop or self.why_over():
                raise CutShort(why)

        try:
            return measure(going.trial, going.before.plus(going.passes), best, check)
        finally:
            note()

    def note_cost(self, going: Going) -> None:
        """Keep with a trial what it has used."""
        going.trial.set_user_attr(COST, list(going.cost))

    def free(self, going: Going, state: TrialState, values: Sequence[float] = ()) -> None:
        """The trial is over."""
        self.runner.end(going.trial.number)
        del self.going[going.trial.number]
        self.watcher.on_end(going.trial, End(state, tuple(values), *going.cost))

    def end_stopped(self) -> None:
        """End the trials whose end somebody asks for."""
        for number in [each for each in self.going if self.watcher.stopped(each)]:
            self.finish(number, TrialState.PRUNED, STOPPED)
