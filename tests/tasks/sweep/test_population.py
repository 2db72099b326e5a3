"""Population based training: who goes on from whom, and that weights are handed on."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import ray
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState
from pyarrow import fs

from tasks.costs.cost import Prices
from tasks.sweep.config import SearchConfig, SweepBudget, SweepConfig
from tasks.sweep.passes import Deadline, passes
from tasks.sweep.population import (
    AFTER,
    FACTORS,
    explored,
    leg_of,
    may_begin,
    num_trials,
    offspring,
)
from tasks.sweep.saving import Saving
from tasks.sweep.searching import Search, search
from tasks.sweep.space import Dimension, Space
from tasks.sweep.study import first_settings, open_study
from tasks.sweep.workbench import Workbench
from tasks.training.checkpoint import CheckpointStore
from tasks.training.job import TrainingJob, material_of
from tests.tasks.sweep.conftest import changed
from tests.tasks.sweep.test_engine import Kill, swept, table
from tests.tasks.sweep.test_searching import Nobody

SPACE: Space = {"a.lr": Dimension(log=(1e-4, 1e-1)), "a.warm_up": Dimension(linear=(0, 0.5))}
SEARCH = SearchConfig(sampler="population", population=8, seed=3)


def ended(scores: list[float | None]) -> list[FrozenTrial]:
    """Trials by their last score; None: it fell apart."""
    return [
        optuna.trial.FrozenTrial(
            number=number,
            state=TrialState.FAIL if score is None else TrialState.COMPLETE,
            value=score,
            datetime_start=None,
            datetime_complete=None,
            params={"a.lr": 10.0 ** -(1 + number % 4), "a.warm_up": 0.1},
            distributions={},
            user_attrs={},
            system_attrs={},
            intermediate_values={} if score is None else {1: score},
            trial_id=number,
        )
        for number, score in enumerate(scores)
    ]


def test_the_worst_quarter_goes_on_from_the_best() -> None:
    trials = ended([0.5, 0.9, 0.1, 0.6, 0.8, 0.2, 0.7, 0.4])
    after = [offspring(trials, SEARCH, SPACE, number)[0] for number in range(8, 16)]
    kept = {0, 1, 3, 4, 6, 7}
    assert [after[number] for number in sorted(kept)] == sorted(kept)
    assert {after[2], after[5]} <= {1, 4}
    for number in kept:
        assert offspring(trials, SEARCH, SPACE, 8 + number)[1] == trials[number].params


def test_one_that_fell_apart_goes_on_from_the_best() -> None:
    trials = ended([0.5, None, None, None, 0.8, None, 0.7, 0.4])
    for number in (1, 2, 3, 5):
        assert offspring(trials, SEARCH, SPACE, 8 + number)[0] in (4, 6)


def test_settings_are_changed_by_a_fifth_or_drawn_anew_within_their_ends() -> None:
    random = np.random.default_rng(0)
    factors = []
    for _ in range(400):
        found = explored({"a.lr": 0.01, "a.warm_up": 0.49}, SPACE, random)
        assert 1e-4 <= found["a.lr"] <= 1e-1
        assert 0 <= found["a.warm_up"] <= 0.5
        factors.append(round(found["a.lr"] / 0.01, 9))
    little = sum(factor in FACTORS for factor in factors)
    assert 0.68 < little / len(factors) < 0.82  # three quarters


def test_a_generation_waits_for_the_one_before() -> None:
    trials = ended([0.5] * 7)
    assert may_begin(trials, SEARCH, 2)  # the last of the first generation
    trials = ended([0.5] * 8)
    assert may_begin(trials, SEARCH, 2)
    trials[3].state = TrialState.RUNNING
    assert not may_begin(trials, SEARCH, 2)
    assert not may_begin(ended([0.5] * 16), SEARCH, 2)  # it has made all passes
    assert num_trials(SEARCH, 9) == 72


def test_legs_make_every_pass_once() -> None:
    config = SearchConfig(sampler="population", population=4, generation_passes=2)
    legs = [leg_of(config, 5, number, None) for number in (0, 4, 8)]
    assert [(leg.start, leg.end) for leg in legs] == [(0, 2), (2, 4), (4, 5)]
    assert [leg.outdated for leg in legs] == [(), (), (0, 1, 2, 3)]


def test_killed_anywhere_a_population_decides_as_if_it_had_not_been() -> None:
    def score(values: Any) -> float:
        return -abs(float(np.log10(values["a.lr"])) + 2)

    given: dict[str, Any] = {
        "budget": SweepBudget(trials=36), "sampler": "population", "population": 4,
    }  # fmt: skip
    whole, why, _ = swept(SPACE, score, **given)
    assert why == "every trial was made"
    assert len(whole.trials) == 36
    storage = InMemoryStorage()
    for kill_at in (0, 3, 11, 17, 30, 61):
        with suppress(Kill):
            swept(SPACE, score, storage, kill_at=kill_at, **given)
    resumed, _, _ = swept(SPACE, score, storage, **given)
    assert table(resumed) == table(whole)
    assert [t.user_attrs.get(AFTER) for t in resumed.trials] == [
        t.user_attrs.get(AFTER) for t in whole.trials
    ]


def test_a_population_comes_to_a_known_optimum() -> None:
    def score(values: Any) -> float:
        return -abs(float(np.log10(values["a.lr"])) + 2) - abs(values["a.warm_up"] - 0.2)

    given: dict[str, Any] = {"budget": SweepBudget(trials=72), "sampler": "population"}
    study, why, _ = swept(SPACE, score, **given)
    assert why == "every trial was made"
    start, end = (
        max(trial.value for trial in study.trials[first : first + 8]) for first in (0, 64)
    )
    assert end > start
    best = study.best_trial.params
    assert abs(np.log10(best["a.lr"]) + 2) < 0.15
    assert abs(best["a.warm_up"] - 0.2) < 0.1


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(fs.LocalFileSystem(), str(tmp_path / "trials"))


def test_a_leg_goes_on_from_another_trial_s_weights(
    mlp_job: TrainingJob, store: CheckpointStore
) -> None:
    """Two legs of the same settings are one training; with others the second half differs."""
    saving = Saving(store, 60.0)
    config = SearchConfig(sampler="population", population=4)
    material = material_of(mlp_job)

    def leg(number: int, after: int | None, job: TrainingJob) -> list[float]:
        its = leg_of(config, 3, number, after)
        saved = saving.trial(number, its)
        scores = passes(job, material, saved.deadline, saved.newest)
        return [next(scores) for _ in range(its.end)][its.start :]

    whole = list(passes(mlp_job, material, Deadline()))
    assert leg(0, None, mlp_job) + leg(5, 0, mlp_job) + leg(8, 5, mlp_job) == whole
    slower = changed(mlp_job, lr=mlp_job.course.lr / 10, weight_decay=0.3)
    assert leg(6, 0, slower) != whole[1:2]
    with pytest.raises(ValueError, match="there is no checkpoint to go on from"):
        saving.trial(7, leg_of(config, 3, 7, 3))


@pytest.fixture(scope="module")
def two_cores() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_a_population_is_trained_in_the_cluster(
    workbench: Workbench, two_cores: None, store: CheckpointStore
) -> None:
    del two_cores
    space: Space = {
        "students.0.lr": Dimension(log=(1e-4, 1e-1)),
        "students.0.weight_decay": Dimension(log=(1e-4, 1e-1)),
    }
    config = SearchConfig(sampler="population", population=4, side_by_side=2)
    first = first_settings(config, space, {"students.0.lr": 3e-3})
    study = open_study("p", InMemoryStorage(), config, 3, first)
    budget = SweepBudget(trials=12)
    about = Search(study, space, config, budget, Prices(), workbench, first[0], store)
    ended_so = search(about, Nobody())
    assert ended_so.why == "every trial was made"
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 12
    assert all(len(trial.intermediate_values) == 1 for trial in study.trials)
    assert all(trial.user_attrs[AFTER] // 4 == trial.number // 4 - 1 for trial in study.trials[4:])
    replaced = [t for t in study.trials[4:] if t.user_attrs[AFTER] != t.number - 4]
    assert len(replaced) == 2  # one of four in each of two generations
    assert not Path(store.path).exists()  # nothing is left of it


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"space": {"students.0.width": {"integer": [8, 16]}}}, "students.0.width"),
        ({"search": {"sampler": "population", "engine": "together"}}, "auto or actors"),
        ({"search": {"sampler": "population", "objectives": ["score", "seconds"]}}, "alone"),
    ],
)
def test_what_cannot_change_while_learning_is_refused(given: dict[str, Any], sentence: str) -> None:
    project = {"space": {"teacher.lr": {"log": [0.1, 1]}}, "search": {"sampler": "population"}}
    with pytest.raises(ValueError, match=sentence):
        SweepConfig.model_validate(project | given)


def test_a_budget_that_holds_no_population_is_refused(
    workbench: Workbench, store: CheckpointStore
) -> None:
    config = SearchConfig(sampler="population")
    study = open_study("p", InMemoryStorage(), config, 3, [])
    budget = SweepBudget(trials=20)
    about = Search(study, SPACE, config, budget, Prices(), workbench, {}, store)
    with pytest.raises(ValueError, match=r"sweep.budget.trials 20: a population of 8 takes 24"):
        search(about, Nobody())
