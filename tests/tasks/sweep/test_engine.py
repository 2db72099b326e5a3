"""The loop of a sweep: optima that are known, kills anywhere, budgets that hold."""

import math
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState
from scipy.stats import wilcoxon

from tasks.costs.cost import Prices
from tasks.costs.meter import Used
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.engine import COST, SPENT, TROUBLE, End, Sweep
from tasks.sweep.passes import Check
from tasks.sweep.progress import Progress, progress_of
from tasks.sweep.runners import Report
from tasks.sweep.space import Dimension, Space, Values
from tasks.sweep.spending import Ledger
from tasks.sweep.study import first_settings, open_study

PASSES = 9
SQUARE: Space = {"a.x": Dimension(linear=(-5, 5)), "a.y": Dimension(linear=(-5, 5))}
BRANIN: Space = {"a.x": Dimension(linear=(-5, 10)), "a.y": Dimension(linear=(0, 15))}


class Kill(Exception):
    """The process is gone."""


class Clock:
    """Time that passes when a trial works."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Computed:
    """Trials whose scores are a function of their values; a pass takes `seconds`."""

    slots, cores, gpus, under_way = 1, 1, 0, Used()

    def __init__(
        self,
        score: Callable[[Values], float],
        clock: Clock,
        seconds: float = 1.0,
        kill_at: int = -1,
    ) -> None:
        self.score, self.clock, self.seconds, self.kill_at = score, clock, seconds, kill_at
        self.waits = 0
        self.values: Values = {}
        self.passed = 0

    def begin(self, number: int, values: Values) -> None:
        self.number, self.values, self.passed = number, values, 0
        self.began = self.clock.now

    def wait(self, seconds: float) -> Report:
        if self.waits == self.kill_at:
            raise Kill
        self.waits += 1
        self.clock.now += min(seconds, self.seconds)
        cpu = self.clock.now - self.began
        if seconds < self.seconds:
            return Report(self.number, None, cpu, 0, "the budget is used")
        self.passed += 1
        score = self.score(self.values) - 1 / self.passed
        return Report(self.number, score if self.passed <= PASSES else None, cpu, 0)

    def end(self, number: int) -> None:
        pass

    def close(self) -> None:
        pass


class Beside:
    """Two trials side by side, whose passes take `seconds`; the second's first half as long again.

    Nobody hears of a pass before it has ended, as in the cluster.
    """

    slots, gpus = 2, 0

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds = clock, seconds
        self.used: dict[int, float] = {}
        self.calls: dict[int, tuple[float, float, bool]] = {}
        self.has_begun, self.all_used = False, 0.0

    @property
    def cores(self) -> int:
        return len(self.used)

    @property
    def under_way(self) -> Used:
        return Used(sum(self.clock.now - began for began, *_ in self.calls.values()))

    def begin(self, number: int, values: Values) -> None:
        del values
        self.used[number] = 0.0

    def wait(self, seconds: float) -> Report:
        now = self.clock.now
        for number in [each for each in self.used if each not in self.calls]:
            takes = self.seconds * (1.5 if number == 1 and not self.has_begun else 1.0)
            self.has_begun = self.has_begun or number == 1
            end = now + max(0.0, min(seconds, takes))
            self.calls[number] = now, end, seconds < takes
        number = min(self.calls, key=lambda each: self.calls[each][1])
        began, self.clock.now, is_cut = self.calls.pop(number)
        self.used[number] += self.clock.now - began
        self.all_used += self.clock.now - began
        why = "the budget is used" if is_cut else ""
        return Report(number, None if is_cut else 0.5, self.used[number], 0, why)

    def end(self, number: int) -> None:
        del self.used[number]
        if call := self.calls.pop(number, None):  # it is killed, and does not say what it used
            self.all_used += self.clock.now - call[0]

    def close(self) -> None:
        pass


class Watched:
    """Stops what it is asked to."""

    def __init__(self) -> None:
        self.stops: set[int | None] = set()
        self.ended: dict[int, End] = {}
        self.told: list[Progress] = []

    def on_begin(self, trial: optuna.Trial) -> None:
        pass

    def on_score(self, trial: optuna.Trial, epoch: int, score: float) -> None:
        pass

    def on_end(self, trial: optuna.Trial, end: End) -> None:
        self.ended[trial.number] = end

    def on_progress(self, progress: Progress) -> None:
        self.told.append(progress)

    def stopped(self, number: int | None) -> bool:
        return number in self.stops


def square(values: Values) -> float:
    return -((values["a.x"] - 2) ** 2) - (values["a.y"] + 1) ** 2


def branin(values: Values) -> float:
    x, y = values["a.x"], values["a.y"]
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return -(bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


def sweep_of(
    study: optuna.Study, config: SearchConfig, budget: SweepBudget, runner: Computed, **given: Any
) -> Sweep:
    """A sweep over the square whose spending nobody keeps, where nothing else is given."""
    ledger = Ledger(budget, Prices(), {}, lambda spent: None, runner.clock)  # noqa: ARG005
    usual = {"space": SQUARE, "ledger": ledger, "watcher": Watched(), "passes": PASSES}
    return Sweep(study=study, search=config, budget=budget, runner=runner, **usual | given)


def swept(
    space: Space,
    score: Callable[[Values], float],
    storage: InMemoryStorage | None = None,
    budget: SweepBudget | None = None,
    kill_at: int = -1,
    measuring: float = 0.0,
    **search: Any,
) -> tuple[optuna.Study, str, Watched]:
    config = SearchConfig(side_by_side=1, **search)
    budget = budget or SweepBudget(trials=20)
    first = first_settings(config, space, {})
    study = open_study("s", storage or InMemoryStorage(), config, PASSES, first)
    clock, watcher = Clock(), Watched()
    ledger = Ledger(
        budget,
        Prices(price_cpu_hour=3600),
        study.user_attrs.get(SPENT, {}),
        lambda spent: study.set_user_attr(SPENT, spent),
        clock,
    )

    def measure(trial: Any, used: Used, best: float, check: Check) -> list[float]:
        del trial, used, check
        clock.now += measuring
        return [best]

    runner = Computed(score, clock, kill_at=kill_at)
    given = {"ledger": ledger, "watcher": watcher, "measure": measure, "busy": clock}
    sweep = sweep_of(study, config, budget, runner, space=space, **given)
    return study, sweep.run(), watcher


def table(study: optuna.Study) -> list[tuple[Any, ...]]:
    return [(t.number, t.state, t.params, t.intermediate_values, t.values) for t in study.trials]


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "sobol", "random", "nsga2"])
def test_the_optimum_of_a_square_is_found(sampler: str) -> None:
    study, _, _ = swept(
        SQUARE, square, budget=SweepBudget(trials=100), sampler=sampler, pruner="none"
    )
    missed = -1 / PASSES - study.best_value
    assert missed < (0.05 if sampler in ("tpe", "cmaes") else 0.5)


@pytest.mark.parametrize(
    ("sampler", "trials", "missed"), [("tpe", 80, 0.5), ("cmaes", 150, 0.02), ("sobol", 256, 0.3)]
)
def test_an_optimum_of_branin_is_found(sampler: str, trials: int, missed: float) -> None:
    """One of three, each 0.397887 (Dixon and Szegö, 1978)."""
    budget = SweepBudget(trials=trials)
    study, _, _ = swept(BRANIN, branin, budget=budget, sampler=sampler, pruner="none")
    assert 0 <= -0.397887 - 1 / PASSES - study.best_value + 1e-6 < missed


@pytest.mark.parametrize("sampler", ["nsga2", "tpe"])
def test_the_front_of_two_squares_is_found(sampler: str) -> None:
    """Near 0 and near (2, 0): nothing beats the points between the two, from 0 to 2 with y 0."""
    config = SearchConfig(
        sampler=sampler, objectives=("score", "parameters"), side_by_side=1, pruner="none"
    )
    study = open_study("s", InMemoryStorage(), config, PASSES, [])

    def measure(trial: Any, used: Used, best: float, check: Check) -> list[float]:
        del used, best, check
        x, y = trial.params["a.x"], trial.params["a.y"]
        return [-(x**2) - y**2, (x - 2) ** 2 + y**2]

    runner = Computed(square, Clock())
    sweep_of(study, config, SweepBudget(trials=300), runner, measure=measure).run()
    points = np.array([[t.params["a.x"], t.params["a.y"]] for t in study.best_trials])
    assert len(points) >= 8
    assert np.abs(points[:, 1]).mean() < 0.3
    assert points[:, 0].min() < 0.4
    assert points[:, 0].max() > 1.6
    assert np.all((points[:, 0] > -0.5) & (points[:, 0] < 2.5))


def test_a_grid_ends_when_it_was_tried_whole() -> None:
    study, why, _ = swept(SQUARE, square, sampler="grid", grid_points=3, pruner="none")
    assert why == "every trial was made"
    assert len(study.trials) == 9
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 9


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "sobol", "grid", "random", "nsga2"])
@pytest.mark.parametrize("pruner", ["asha", "median", "hyperband", "wilcoxon", "none"])
def test_killed_anywhere_it_decides_as_if_it_had_not_been(sampler: str, pruner: str) -> None:
    whole, _, _ = swept(SQUARE, square, sampler=sampler, pruner=pruner)
    storage = InMemoryStorage()
    for kill_at in (0, 1, 3, 4, 7, 11, 13, 17, 23):
        with suppress(Kill):
            swept(SQUARE, square, storage, kill_at=kill_at, sampler=sampler, pruner=pruner)
    resumed, _, _ = swept(SQUARE, square, storage, sampler=sampler, pruner=pruner)
    assert table(resumed) == table(whole)


@pytest.mark.parametrize(
    "budget",
    [
        {"minutes": 0.5},
        {"cpu_hours": 30 / 3600},
        {"money": 30.0},
    ],
)
def test_a_budget_holds_over_resumptions(budget: dict[str, float]) -> None:
    storage, limit = InMemoryStorage(), SweepBudget(trials=1000, **budget)
    for _ in range(4):
        with pytest.raises(Kill):
            swept(SQUARE, square, storage, limit, kill_at=5, pruner="none")
    study, why, _ = swept(SQUARE, square, storage, limit, pruner="none")
    assert why == "the budget is used"
    assert 30 * 0.98 <= study.user_attrs[SPENT]["wall"] <= 30 * 1.02


@pytest.mark.parametrize(
    ("cpu_hours", "seconds"), [(1.0, 600.0), (0.1, 60.0), (0.1, 20.0), (0.5, 300.0), (0.1, 400.0)]
)
def test_a_budget_holds_while_passes_are_under_way(cpu_hours: float, seconds: float) -> None:
    config, budget = SearchConfig(sampler="random", pruner="none"), SweepBudget(cpu_hours=cpu_hours)
    study = open_study("s", InMemoryStorage(), config, PASSES, [])
    runner: Any = Beside(Clock(), seconds)
    sweep = sweep_of(study, config, budget, runner, measure=lambda *_: [0.5])
    assert sweep.run() == "the budget is used"
    assert runner.all_used == pytest.approx(cpu_hours * 3600, rel=0.02)
    assert sweep.ledger.spent.cpu == pytest.approx(runner.all_used, rel=0.02)


def test_trials_that_were_begun_count() -> None:
    storage = InMemoryStorage()
    swept(SQUARE, square, storage, SweepBudget(trials=5))
    study, _, _ = swept(SQUARE, square, storage, SweepBudget(trials=8))
    assert [trial.number for trial in study.trials] == list(range(8))


def test_a_score_that_is_given_up_is_the_papers_rung() -> None:
    """ASHA, arXiv:1810.05934, algorithm 2: at rung k the best 1/3 of those there go on."""
    scores = iter([0.9, 0.5, 0.8, 0.95, 0.1, 0.7])
    values: dict[float, float] = {}

    def recorded(found: Values) -> float:
        if found["a.x"] not in values:
            values[found["a.x"]] = next(scores)
        return values[found["a.x"]]

    study, _, _ = swept(
        {"a.x": Dimension(linear=(0, 1))}, recorded, budget=SweepBudget(trials=6), sampler="random"
    )
    # One of 1, of 2, of 3, of 4, of 5; two of six: only a new best, or a second of six, goes on.
    assert [trial.state.name for trial in study.trials] == [
        "COMPLETE",
        "PRUNED",
        "PRUNED",
        "COMPLETE",
        "PRUNED",
        "PRUNED",
    ]


def recorded(curves: Sequence[Sequence[float]], pruner: str) -> list[int]:
    """Passes that each of these trials has made, one after the other."""
    config = SearchConfig(sampler="random", pruner=pruner, side_by_side=1)
    study = open_study("s", InMemoryStorage(), config, PASSES, [])

    def score(values: Values) -> float:
        del values
        return curves[runner.number][min(runner.passed, PASSES) - 1] + 1 / runner.passed

    runner = Computed(score, Clock())
    budget, given = SweepBudget(trials=len(curves)), {"measure": lambda *_: [0.0]}
    sweep_of(study, config, budget, runner, space={"a.x": Dimension(linear=(0, 1))}, **given).run()
    for trial, curve in zip(study.trials, curves, strict=True):
        told = list(trial.intermediate_values.values())
        assert told == pytest.approx(curve[: len(told)]), "what was told is the curve"
    return [len(trial.intermediate_values) for trial in study.trials]


CURVES = np.maximum.accumulate(np.random.default_rng(5).random((60, PASSES)), axis=1)
"""Of sixty trials, which get better."""


def test_the_median_gives_up_what_its_rule_says() -> None:
    """Golovin et al. (2017), section 3.2.2: whoever's best so far is below the median of what
    those that were finished had after as many passes; the first five are let go on."""
    expected: list[int] = []
    for curve in CURVES:
        whole = [other for other, made in zip(CURVES, expected, strict=False) if made == PASSES]
        medians = np.median(whole, axis=0) if len(whole) >= 5 else np.zeros(PASSES)
        is_below = np.maximum.accumulate(curve) < medians
        expected.append(int(is_below[:-1].argmax()) + 1 if is_below[:-1].any() else PASSES)
    found = recorded(CURVES.tolist(), "median")
    assert found == expected
    assert 5 < found.count(PASSES) < 50


def test_hyperband_gives_up_what_the_paper_says() -> None:
    """Li et al. (2018), algorithm 1, of 9 passes and 3: three brackets, whose first rungs are after
    1, 3 and 9 passes; in each the best third of those at a rung go on. In turn, as ASHA does."""
    found = recorded(CURVES.tolist(), "hyperband")
    shares = [math.ceil(3 * 3**s / (s + 1)) for s in (2, 1, 0)]  # of trials, 9, 5 and 3
    places = [zlib.crc32(f"s_{number}".encode()) % sum(shares) for number in range(len(CURVES))]
    brackets = np.searchsorted(np.cumsum(shares), places, side="right")
    rungs: dict[tuple[int, int], list[float]] = {}
    expected = []
    for curve, bracket in zip(CURVES, brackets, strict=True):
        passed = next((
            after
            for after in (3**k for k in range(int(bracket), 2))
            if not is_of_best_third(rungs.setdefault((int(bracket), after), []), curve[after - 1])
        ), PASSES)  # fmt: skip
        expected.append(passed)
    assert found == expected
    assert {*found} == {1, 3, PASSES}


def is_of_best_third(rung: list[float], score: float) -> bool:
    """Whether the score, which is added, is one of the best third there, or the best."""
    rung.append(score)
    return score in sorted(rung)[-max(1, len(rung) // 3) :]


def test_wilcoxon_gives_up_what_scipy_says() -> None:
    """The second trial is a little worse after each pass: certain enough after the fourth."""
    worse = iter([0.0, 0.01])
    found: dict[float, float] = {}

    def recorded(values: Values) -> float:
        if values["a.x"] not in found:
            found[values["a.x"]] = next(worse)
        return -found[values["a.x"]]

    study, _, _ = swept(
        {"a.x": Dimension(linear=(0, 1))},
        recorded,
        budget=SweepBudget(trials=2),
        sampler="random",
        pruner="wilcoxon",
    )
    differences = [-0.01] * PASSES
    enough = next(
        count
        for count in range(2, PASSES)
        if wilcoxon(differences[:count], alternative="less").pvalue < 0.1
    )
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    assert len(study.trials[1].intermediate_values) == enough == 4


def test_a_conditional_dimension_is_there_when_it_applies() -> None:
    space = {
        "a.kind": Dimension(choice=("p", "q")),
        "a.x": Dimension(linear=(0, 1), when={"a.kind": ("p",)}),
    }
    study, _, _ = swept(space, lambda values: float("a.x" in values))
    kinds = {(trial.params["a.kind"], "a.x" in trial.params) for trial in study.trials}
    assert kinds == {("p", True), ("q", False)}


def test_values_with_which_there_is_no_trial_fail_alone() -> None:
    def begin(self: Computed, number: int, values: Values) -> None:
        if number == 1:
            raise ValueError("width 7 must be a multiple of heads 2")
        self.number, self.values, self.passed = number, values, 0
        self.began = self.clock.now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Computed, "begin", begin)
        study, why, _ = swept(SQUARE, square, budget=SweepBudget(trials=4), pruner="none")
    assert why == "every trial was made"
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert study.trials[1].user_attrs[TROUBLE] == "width 7 must be a multiple of heads 2"


def test_what_a_trial_has_used_is_kept_with_it() -> None:
    study, _, watcher = swept(SQUARE, square, budget=SweepBudget(trials=4), pruner="none")
    expected = [PASSES + 1.0, 0.0]
    assert [trial.user_attrs[COST] for trial in study.trials] == [expected] * 4
    assert [[e.cpu_seconds, e.gpu_seconds] for e in watcher.ended.values()] == [expected] * 4
    assert study.user_attrs[SPENT] == {"wall": 40.0, "cpu": 40.0, "gpu": 0.0}


def test_what_a_trial_used_before_a_kill_stays_its_cost() -> None:
    storage, one = InMemoryStorage(), SweepBudget(trials=1)
    for _ in range(3):
        with pytest.raises(Kill):
            swept(SQUARE, square, storage, one, kill_at=4, pruner="none")
    study, _, watcher = swept(SQUARE, square, storage, one, pruner="none")
    whole = 3 * 4 + PASSES + 1.0
    assert study.trials[0].user_attrs[COST] == [whole, 0.0]
    assert watcher.ended[0].cpu_seconds == whole
    assert study.user_attrs[SPENT]["cpu"] == whole


def test_what_is_measured_of_a_trial_is_its_cost() -> None:
    study, _, _ = swept(SQUARE, square, budget=SweepBudget(trials=2), measuring=5.0, pruner="none")
    assert [trial.user_attrs[COST][0] for trial in study.trials] == [PASSES + 6.0] * 2
    assert study.user_attrs[SPENT]["cpu"] == 2 * (PASSES + 6.0)


def test_several_objectives_leave_a_front() -> None:
    config = SearchConfig(sampler="nsga2", objectives=("score", "parameters"), side_by_side=1)
    study = open_study("s", InMemoryStorage(), config, PASSES, [])

    def measure(trial: Any, used: Used, best: float, check: Check) -> list[float]:
        del used, check
        return [best, trial.params["a.x"]]

    runner = Computed(square, Clock())
    sweep_of(study, config, SweepBudget(trials=30), runner, measure=measure).run()
    assert {trial.state.name for trial in study.trials} == {"COMPLETE"}
    assert 1 < len(study.best_trials) < 30


def test_the_tag_ends_a_sweep_and_keeps_what_it_found() -> None:
    config, watcher = SearchConfig(), Watched()
    study = open_study("s", InMemoryStorage(), config, PASSES, [])
    runner = Computed(square, Clock())

    def score(values: Values) -> float:
        if runner.waits == 12:
            watcher.stops.add(None)
        return square(values)

    def measure(trial: Any, used: Used, best: float, check: Check) -> list[float]:
        del trial, used, check
        return [best]

    runner.score = score
    sweep = sweep_of(study, config, SweepBudget(), runner, watcher=watcher, measure=measure)
    assert sweep.run() == "stopped by a tag"
    assert study.trials[0].state == TrialState.COMPLETE
    assert not any(trial.state == TrialState.RUNNING for trial in study.trials)


def measured_thrice(
    storage: InMemoryStorage, stops: bool, **budget: float
) -> tuple[optuna.trial.FrozenTrial, float]:
    """A trial, three measurements of which take 10 s each, and how long they took."""
    config, limit = SearchConfig(side_by_side=1), SweepBudget(trials=1, **budget)
    study = open_study("s", storage, config, PASSES, [])
    clock, watcher = Clock(), Watched()

    def measure(trial: Any, used: Used, best: float, check: Check) -> list[float]:
        del trial, used
        for _ in range(3):
            check()
            clock.now += 10
            watcher.stops |= {0} if stops else set()
        return [best]

    runner = Computed(square, clock)
    given = {"measure": measure, "watcher": watcher, "busy": clock}
    sweep_of(study, config, limit, runner, **given).run()
    return study.trials[0], clock.now - PASSES - 1


def test_what_is_measured_ends_with_the_budget_or_by_the_tag() -> None:
    """The budget holds one measurement, or one is stopped."""
    for stops, budget, state, why in (
        (True, {}, TrialState.PRUNED, "stopped by a tag"),
        (False, {"minutes": 18 / 60}, TrialState.RUNNING, None),
        (False, {"cpu_hours": 18 / 3600}, TrialState.RUNNING, None),
    ):
        trial, measuring = measured_thrice(InMemoryStorage(), stops, **budget)
        assert (trial.state, measuring) == (state, 10)
        assert trial.user_attrs.get(TROUBLE) == why
        assert trial.user_attrs[COST] == [PASSES + 1 + 10, 0.0]
        assert trial.intermediate_values, "what it found is kept"


def test_what_the_budget_left_unmeasured_is_measured_by_a_larger_one() -> None:
    storage = InMemoryStorage()
    measured_thrice(storage, False, minutes=18 / 60)
    trial, measuring = measured_thrice(storage, False, minutes=1.0)
    assert (trial.number, trial.state, measuring) == (0, TrialState.COMPLETE, 30)
    assert trial.user_attrs[COST] == [2 * (PASSES + 1) + 10 + 30, 0.0]


@pytest.mark.parametrize("place", ["measure", "measure_at_rung"])
@pytest.mark.parametrize("error", [ValueError("answers differ by 0.2"), MemoryError()])
def test_a_trial_that_cannot_be_measured_fails_alone(place: str, error: Exception) -> None:
    study, why = with_one_that_raises(place, error)
    assert why == "every trial was made"
    failed = [trial.state == TrialState.FAIL for trial in study.trials]
    assert failed == [False, True, False, False]
    assert study.trials[1].user_attrs[TROUBLE] == (str(error) or "MemoryError")
    assert not any(trial.state == TrialState.RUNNING for trial in study.trials)


@pytest.mark.parametrize("place", ["measure", "measure_at_rung"])
def test_what_is_not_of_a_trial_alone_ends_the_sweep(place: str) -> None:
    with pytest.raises(ConnectionError):
        with_one_that_raises(place, ConnectionError())


def with_one_that_raises(place: str, error: Exception) -> tuple[optuna.Study, str]:
    """Four trials of two objectives, the second of which meets this where it is measured."""
    config = SearchConfig(sampler="nsga2", objectives=("score", "parameters"), side_by_side=1)
    study = open_study("s", InMemoryStorage(), config, PASSES, [])

    def measure(trial: Any, used: Used, best: float, check: Check) -> list[float]:
        del used, check
        return [best, trial.params["a.x"]]

    def raises(trial: Any, used: Used, best: float, check: Check) -> list[float]:
        if trial.number == 1:
            raise error
        return measure(trial, used, best, check)

    given = {"measure": measure, place: raises}
    runner = Computed(lambda values: values["a.x"], Clock())  # nobody beats another
    sweep = sweep_of(study, config, SweepBudget(trials=4), runner, **given)
    return study, sweep.run()


def test_a_resumed_search_says_how_far_it_is_and_what_is_left() -> None:
    storage, budget = InMemoryStorage(), SweepBudget(trials=20, money=150.0)
    with pytest.raises(Kill):
        swept(SQUARE, square, storage, budget, kill_at=43, pruner="none")
    study, _, watcher = swept(SQUARE, square, storage, budget, pruner="none")
    first, *_, last = watcher.told
    best = max(trial.value for trial in study.trials[:4])
    assert (first.done, first.total) == (4, 20)
    # 43 s, of which 3 are of the trial that was under way; a second costs 1.
    assert first.said == f"best score {best:.4f}, 4 finished; left: 16 trials, 2 min, money 107"
    assert last.done == 15
    assert last.said.endswith("14 finished, 1 given up; left: 5 trials, 0 s, money 0")


def test_progress_counts_a_front_and_says_a_loss_as_it_is() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    for values in ((0.9, 2), (0.8, 1), (0.7, 3)):
        study.add_trial(optuna.trial.create_trial(values=values))
    ledger = Ledger(SweepBudget(), Prices(), {"wall": 360.0}, lambda _: None, lambda: 0.0)
    found = progress_of(study, "quality", SweepBudget(trials=63), ledger, math.inf)
    assert found == (3, 63, "front of 2, 3 finished; left: 60 trials, 2.0 h")
    study = optuna.create_study(direction="maximize")
    study.add_trial(optuna.trial.create_trial(value=-0.25))
    found = progress_of(study, "valid/loss", SweepBudget(trials=2), ledger, 240.0)
    assert found.said == "best valid/loss 0.2500, 1 finished; left: 1 trial, 4 min"
