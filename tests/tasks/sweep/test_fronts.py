"""Among several objectives: the order of fronts, and who is given up at a rung."""

from contextlib import suppress
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.storages import InMemoryStorage

from tasks.costs.meter import Used
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.engine import Sweep
from tasks.sweep.fronts import Losses, best_of, fronts, is_among_best, is_rung, net, ranks
from tasks.sweep.space import Values
from tasks.sweep.study import first_settings, open_study
from tests.tasks.sweep.test_engine import (
    PASSES,
    SQUARE,
    Clock,
    Computed,
    Kill,
    square,
    sweep_of,
    table,
)


def points(number: int, objectives: int, seed: int) -> Losses:
    """Some of them alike in an objective, or in all."""
    return np.random.default_rng(seed).integers(0, 6, (number, objectives)).astype(float)


def dominates(one: Any, other: Any) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def depth(losses: Any, place: int) -> int:
    """How long the longest chain is of those who dominate it, one another."""
    above = [each for each in range(len(losses)) if dominates(losses[each], losses[place])]
    return max((1 + depth(losses, each) for each in above), default=0)


@pytest.mark.parametrize("objectives", [2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_fronts_are_those_of_their_definition(objectives: int, seed: int) -> None:
    losses = points(24, objectives, seed)
    found = {int(place): rank for rank, front in enumerate(fronts(losses)) for place in front}
    assert found == {place: depth(losses, place) for place in range(24)}


@pytest.mark.parametrize("seed", range(5))
def test_each_of_a_net_is_the_farthest_from_those_before_it(seed: int) -> None:
    cloud = np.random.default_rng(seed).random((12, 3))
    order = net(cloud)
    assert sorted(order) == list(range(12))
    assert cloud[order[0], 0] == cloud[:, 0].min()
    for place in range(1, 12):

        def gap(each: int, before: Any = order[:place]) -> float:
            return min(float(np.sqrt(((cloud[each] - cloud[b]) ** 2).sum())) for b in before)

        assert gap(order[place]) == pytest.approx(max(gap(each) for each in order[place:]))


def test_neither_units_nor_a_scale_decide() -> None:
    losses = np.random.default_rng(3).random((30, 3))
    other = np.stack([losses[:, 0] * 1000 - 7, np.log(losses[:, 1]), losses[:, 2] ** 3], axis=1)
    assert best_of(losses, 10) == best_of(other, 10)
    assert ranks(np.array([[5.0], [5.0], [9.0], [7.0]])).ravel().tolist() == [0.0, 0.0, 1.0, 0.5]


def test_a_share_goes_on_or_one_for_each_end_of_the_front() -> None:
    line = np.stack([np.arange(12.0), np.arange(12.0)], axis=1)  # each dominates those after it
    assert [is_among_best(line[: size + 1]) for size in range(12)] == [True, True, *[False] * 10]
    assert best_of(line, 4) == [0, 1, 2, 3]
    crossed = np.stack([np.arange(12.0), -np.arange(12.0)], axis=1)  # nobody dominates anybody
    assert best_of(crossed, 3) == [0, 11, 5]
    assert is_among_best(crossed)
    assert not is_among_best(np.append(crossed, [[3.5, -3.5]], axis=0))


@pytest.mark.parametrize(
    ("passes", "rungs"), [(1, []), (2, [1]), (3, [1]), (6, [1, 3]), (9, [1, 3]), (30, [4, 12])]
)
def test_rungs_are_those_of_one_objective(passes: int, rungs: list[int]) -> None:
    assert [each for each in range(passes + 1) if is_rung(each, passes)] == rungs


PLAN = ((0.9, 10.0), (0.5, 1.0), (0.4, 12.0), (0.8, 0.5), (0.85, 11.0), (0.95, 20.0))
"""Score and cost of each trial: the third and the fifth are dominated by the first; the second is
worse and cheaper, the fourth better and cheaper than that; the last is the best."""
EXPECTED = ["COMPLETE", "COMPLETE", "PRUNED", "COMPLETE", "PRUNED", "COMPLETE"]


def traded(
    storage: InMemoryStorage | None = None, kill_at: int = -1, trials: int = len(PLAN), **given: Any
) -> tuple[optuna.Study, Sweep]:
    """A sweep of the plan; of more trials their values decide."""
    config = SearchConfig.model_validate(
        {"objectives": ("score", "parameters"), "sampler": "random", "side_by_side": 1, **given}
    )
    first = first_settings(config, SQUARE, {})
    study = open_study("s", storage or InMemoryStorage(), config, PASSES, first)
    is_planned = trials == len(PLAN)

    def score(values: Values) -> float:
        return PLAN[runner.number][0] if is_planned else square(values)

    runner = Computed(score, Clock(), kill_at=kill_at)

    def measure(trial: Any, used: Used, best: float, check: Any) -> list[float]:
        del used, check
        return [best, PLAN[trial.number][1] if is_planned else abs(trial.params["a.x"])]

    measuring = {"measure": measure, "measure_at_rung": measure, "busy": runner.clock}
    sweep = sweep_of(study, config, SweepBudget(trials=trials), runner, **measuring)
    return study, sweep


def test_who_is_dominated_is_given_up_and_who_is_cheaper_is_not() -> None:
    study, sweep = traded()
    sweep.run()
    assert [trial.state.name for trial in study.trials] == EXPECTED
    assert [trial.number for trial in study.best_trials] == [0, 3, 5]
    given_up = study.trials[2].user_attrs
    assert given_up["rung_1"] == {"values": [0.4 - 1, 12.0], "goes_on": False}
    assert "rung_3" not in given_up
    assert study.trials[0].user_attrs["rung_3"] == {"values": [0.9 - 1 / 3, 10.0], "goes_on": True}


def test_nobody_is_given_up_where_the_project_says_so() -> None:
    study, sweep = traded(pruner="none")
    sweep.run()
    assert {trial.state.name for trial in study.trials} == {"COMPLETE"}


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "sobol", "random", "grid"])
def test_killed_anywhere_it_gives_up_the_same_trials(sampler: str) -> None:
    whole, sweep = traded(trials=24, sampler=sampler)
    sweep.run()
    assert {trial.state.name for trial in whole.trials} == {"COMPLETE", "PRUNED"}
    storage = InMemoryStorage()
    for kill_at in (0, 1, 2, 3, 4, 9, 10, 11, 12, 13, 30, 31, 32):
        with suppress(Kill):
            traded(storage, kill_at, trials=24, sampler=sampler)[1].run()
    resumed, sweep = traded(storage, trials=24, sampler=sampler)
    sweep.run()
    assert table(resumed) == table(whole)
    decided = [
        [{name: value for name, value in trial.user_attrs.items() if name != "seconds"}
         for trial in study.trials] for study in (resumed, whole)
    ]  # fmt: skip
    assert decided[0] == decided[1]


def test_what_was_decided_is_not_asked_again() -> None:
    """Costs that are measured anew after a kill, and come out otherwise, change nothing."""
    storage, asked = InMemoryStorage(), list[int]()
    _, sweep = traded(storage, kill_at=24)  # the fourth trial is behind its second rung
    with suppress(Kill):
        sweep.run()
    resumed, sweep = traded(storage)

    def otherwise(trial: Any, used: Used, best: float, check: Any) -> list[float]:
        del used
        asked.append(trial.number)
        return [best, 100.0]

    sweep.measure_at_rung = otherwise
    sweep.run()
    assert asked == [4, 5, 5]
    assert resumed.trials[3].user_attrs["rung_1"] == {"values": [0.8 - 1, 0.5], "goes_on": True}
    assert resumed.trials[3].state.name == "COMPLETE"


def test_others_that_judge_by_one_objective_are_refused() -> None:
    with pytest.raises(ValueError, match="pruner median judges by one objective; for several: as"):
        SearchConfig(objectives=("score", "parameters"), pruner="median")
