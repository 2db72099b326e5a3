"""A whole search on real digits: each engine, the same answers."""

import math
import time
from collections.abc import Iterator
from typing import Any

import optuna
import pytest
import ray
from optuna.storages import InMemoryStorage
from scipy.stats import ttest_rel

from tasks.costs.cost import Prices
from tasks.costs.meter import Used
from tasks.sweep import confirming
from tasks.sweep.apart import why_apart
from tasks.sweep.benches import Actors
from tasks.sweep.config import Engine, Objective, SearchConfig, SweepBudget
from tasks.sweep.confirming import FIRST_SEED, compared, confirmed, worth
from tasks.sweep.deployed import deployed_figures
from tasks.sweep.engine import End
from tasks.sweep.passes import CutShort, Deadline, passes, whole
from tasks.sweep.runners import InProcess
from tasks.sweep.searching import SOME, Search, search, some_jobs, some_settings, trials_of
from tasks.sweep.space import Dimension, Space
from tasks.sweep.study import first_settings, open_study
from tasks.sweep.together import Together
from tasks.sweep.trial import FAILED
from tasks.sweep.workbench import Workbench
from tasks.sweep.worth import at_a_rung, at_the_end
from tasks.sweep_artifacts import Question
from tasks.training.image_architectures import ImageAugmentConfig

SPACE: Space = {
    "students.0.lr": Dimension(log=(1e-3, 1e-2)),
    "students.0.weight_decay": Dimension(log=(1e-4, 1e-1)),
}
PASSES = 3
STILL = ImageAugmentConfig(shift=0, rotate=0)


class Nobody:
    def on_begin(self, trial: optuna.trial.Trial) -> None: ...
    def on_score(self, trial: optuna.trial.Trial, epoch: int, score: float) -> None: ...
    def on_end(self, trial: optuna.trial.Trial, end: End) -> None: ...
    def on_progress(self, progress: Any) -> None: ...
    def stopped(self, number: int | None) -> bool:  # noqa: ARG002
        return False


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def searched(workbench: Workbench, engine: Engine, trials: int = 4, **given: Any) -> optuna.Study:
    config = SearchConfig(engine=engine, sampler="random", **{"pruner": "none", **given})
    first = first_settings(config, SPACE, {"students.0.lr": 3e-3})
    study = open_study("s", InMemoryStorage(), config, PASSES, first)
    budget = SweepBudget(trials=trials)
    about = Search(study, SPACE, config, budget, Prices(), workbench, first[0])
    ended = search(about, Nobody())
    assert ended.why == "every trial was made"
    assert ended.cost.cpu_hours > 0
    return study


def curves(study: optuna.Study) -> list[list[float]]:
    return [list(trial.scores) for trial in trials_of(study)]


def test_together_scores_as_one_by_one(workbench: Workbench) -> None:
    alone, crew = searched(workbench, "in_process"), searched(workbench, "together")
    assert [t.params for t in crew.trials] == [t.params for t in alone.trials]
    for one, other in zip(curves(crew), curves(alone), strict=True):
        assert one == pytest.approx(other, rel=1e-3)


def test_what_cannot_be_trained_together_is_told(workbench: Workbench) -> None:
    lion = workbench.target.with_values({"students.0.optimizer": "lion"})
    with pytest.raises(ValueError, match=r"sweep.search.engine together: .*lion"):
        searched(Workbench(lion, workbench.site), "together")


class StopsAfter:
    """Somebody who asks for the end once so many steps were taken, in the middle of a pass."""

    def __init__(self, looks: int, number: int | None) -> None:
        self.looks, self.number = looks, number

    def __call__(self, number: int | None) -> bool:
        self.looks -= number == self.number
        return self.looks < 0 and number == self.number


@pytest.mark.parametrize("number", [None, 0], ids=["the-sweep", "the-trial"])
def test_a_pass_need_not_end_for_a_stop(workbench: Workbench, number: int | None) -> None:
    runner = InProcess(workbench, StopsAfter(2, number))
    runner.begin(0, {})
    report = runner.wait(60)
    assert report is not None
    assert (report.score, report.trouble) == (None, "stopped by a tag")


def test_a_crew_need_not_end_its_pass_for_a_stop(workbench: Workbench) -> None:
    runner = Together(workbench, 2, stopped=StopsAfter(2, None))
    for number in range(2):
        runner.begin(number, {"students.0.lr": 1e-3 * (1 + number)})
    reports = [runner.wait(60) for _ in range(2)]
    assert {report.trouble for report in reports if report} == {"stopped by a tag"}


def test_in_warm_processes_scores_are_the_same(workbench: Workbench, cluster: None) -> None:
    del cluster
    alone, beside = searched(workbench, "in_process"), searched(workbench, "actors")
    assert curves(beside) == curves(alone)


def test_the_project_s_own_settings_are_tried_first(workbench: Workbench) -> None:
    study = searched(workbench, "in_process", trials=1)
    assert study.trials[0].params["students.0.lr"] == 3e-3


def test_settings_from_all_over_the_space_differ(workbench: Workbench) -> None:
    study = open_study("s", InMemoryStorage(), SearchConfig(), PASSES, [])
    about = Search(study, SPACE, SearchConfig(), SweepBudget(), Prices(), workbench, {})
    assert len({tuple(one.values()) for one in some_settings(about)}) > 3


def test_what_differs_anywhere_is_seen(workbench: Workbench) -> None:
    """Of two choices the six draws by this seed have one, as those of one seed in 32."""
    target = workbench.target.with_values({"students.0.averaging": "ema"})
    space = {**SPACE, "students.0.ema_decay": Dimension(choice=(0.99, 0.999))}
    config, bench = SearchConfig(seed=31), Workbench(target, workbench.site)
    study = open_study("s", InMemoryStorage(), config, PASSES, [])
    about = Search(study, space, config, SweepBudget(), Prices(), bench, {})
    drawn = some_settings(about)[:SOME]
    assert len({one["students.0.ema_decay"] for one in drawn}) == 1
    assert (why_apart(some_jobs(about)) or "").startswith("ema_decay 0.99")


def test_settings_that_make_no_training_say_nothing_of_the_others(workbench: Workbench) -> None:
    space = {"students.0.hidden": Dimension(choice=(16, -1))}
    study = open_study("s", InMemoryStorage(), SearchConfig(), PASSES, [])
    about = Search(study, space, SearchConfig(), SweepBudget(), Prices(), workbench, {})
    assert {job.blueprint.config["hidden"] for job in some_jobs(about)} == {16}


def test_rows_are_encoded_once(workbench: Workbench) -> None:
    searched(workbench, "in_process")
    assert len(workbench.materials) == 1


@pytest.mark.parametrize(
    ("winner", "present", "verdict"),
    [
        ([0.9, 0.91, 0.92], [0.8, 0.81, 0.79], "believed"),
        ([0.9, 0.8, 1.0], [0.85, 0.9, 0.8], "not better"),
        ([0.7, 0.71, 0.72], [0.8, 0.81, 0.79], "keep that"),
        ([0.9], [0.8], "one seed cannot tell"),
        ([0.91, 0.61, 0.76], [0.9, 0.6, 0.74], "believed"),
    ],
    ids=["better", "within", "worse", "one-seed", "better-by-each-seed"],
)
def test_a_gain_is_believed_beyond_its_spread(
    winner: list[float], present: list[float], verdict: str
) -> None:
    assert verdict in compared(winner, present).sentence


def test_of_a_loss_the_lower_is_the_better() -> None:
    found = compared([-0.5, -0.52], [-2.0, -2.1], is_loss=True)
    assert found.sentence.startswith("over 2 new seeds loss 0.5100 against 2.0500, a gain of +1.54")
    assert found.is_believed


def test_the_error_of_a_gain_is_that_of_its_pairs() -> None:
    winner, present = [0.91, 0.61, 0.76, 0.83], [0.9, 0.6, 0.74, 0.84]
    found = compared(winner, present)
    expected = ttest_rel(winner, present)
    assert found.gain / found.spread == pytest.approx(expected.statistic)
    assert not found.is_believed


@pytest.mark.parametrize(
    ("loses", "allowed", "is_believed", "words"),
    [
        (0.05, 0.0, False, "it loses more than 0,"),
        (0.05, 0.04, False, "it loses more than 0.04,"),
        (0.05, 0.049, True, "a loss of more than 0.049 is not seen"),
        (0.05, math.inf, True, "what the project has is not seen to be within the budget"),
        (-0.05, 0.0, True, "a loss of more than 0 is not seen"),
    ],
)
def test_a_pick_is_taken_unless_it_is_seen_to_lose_more_than_it_may(
    loses: float, allowed: float, is_believed: bool, words: str
) -> None:
    present = [0.9, 0.91, 0.92]
    picked = [score - loses + off for score, off in zip(present, (0, 0.001, -0.001), strict=True)]
    found = compared(picked, present, allowed=allowed)
    assert found.is_believed is is_believed
    assert words in found.sentence


@pytest.mark.parametrize(
    ("winner", "present", "allowed", "is_believed", "words"),
    [
        ([0.9, FAILED, 0.9], [0.9, 0.9, 0.9], 0.0, False, "0.9000 against 0.9000, a gain of +0.00"),
        ([FAILED] * 3, [0.9, 0.9, 0.9], math.inf, False, "by 3 of them it came to nothing"),
        ([0.9, FAILED, 0.9], [0.8, 0.8, 0.8], None, False, "by 1 of them it came to nothing"),
        ([0.5, 0.5, 0.5], [0.9, FAILED, 0.9], 0.01, False, "it loses more than 0.01"),
        ([0.9, 0.9, 0.9], [0.8, FAILED, 0.81], None, True, "believed"),
        ([0.9, 0.9, 0.9], [FAILED] * 3, 0.0, True, "taken"),
        ([0.1], [0.9], 0.01, False, "it loses more than 0.01"),
        ([0.895], [0.9], 0.01, True, "taken"),
    ],
)
def test_what_came_to_nothing_is_not_taken_and_does_not_hide_a_loss(
    winner: list[float], present: list[float], allowed: float | None, is_believed: bool, words: str
) -> None:
    found = compared(winner, present, allowed=allowed)
    assert found.is_believed is is_believed
    assert words in found.sentence
    assert math.isfinite(found.spread)


@pytest.mark.parametrize("deployed", [None, "a form"])
@pytest.mark.parametrize("error", [ValueError("answers differ by 0.2"), MemoryError(), KeyError()])
def test_a_seed_that_cannot_be_measured_came_to_nothing_but_for_want_of_memory(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch, deployed: Any, error: Exception
) -> None:
    def raises(*_: Any) -> None:
        raise error

    for name in ("best_score", "deployed_figures"):
        monkeypatch.setattr(confirming, name, raises)
    monkeypatch.setattr(confirming, "whole", lambda _: {})
    job, material = workbench.job({}), workbench.material(workbench.job({}))
    if not isinstance(error, ValueError):  # a lack of memory passes
        with pytest.raises(type(error)):
            worth(job, material, deployed)
    else:
        assert worth(job, material, deployed) == FAILED


def test_a_pick_is_confirmed_by_what_is_exported_of_it(workbench: Workbench, cluster: None) -> None:
    del cluster
    about = Question(good="quality", allowed=0.0)
    found = confirmed(workbench, {"students.0.lr": 1e-5}, 2, about)
    assert all(0 < quality <= 1 for quality in (*found.winner, *found.present)), "no losses"
    job = workbench.job({}, FIRST_SEED)
    trained = whole(passes(job, workbench.material(job), Deadline()))
    alone = deployed_figures(job, trained, workbench.deployment({}), ["quality"])
    assert found.present[0] == pytest.approx(alone["quality"], abs=0.02)
    assert not found.is_believed, "at such a rate nothing is learned"


def test_whoever_stops_a_confirmation_ends_what_trains(workbench: Workbench, cluster: None) -> None:
    del cluster
    looks = iter((False, False, True))

    def check() -> None:
        if next(looks):
            raise CutShort("stopped by a tag")

    began = time.monotonic()
    endless = {"students.0.epochs": 100_000}
    with pytest.raises(CutShort, match="stopped by a tag"):
        confirmed(workbench, endless, 2, Question(), check)
    assert time.monotonic() - began < 10
    while ray.available_resources().get("CPU", 0) < 2:
        assert time.monotonic() - began < 30, "its trainings still run"
        time.sleep(0.2)


def test_what_is_deployed_of_each_trial_is_traded(workbench: Workbench) -> None:
    objectives = ("quality", "p50_ms", "size_mb", "memory_mb")
    study = searched(workbench, "in_process", trials=2, objectives=objectives)
    for trial in study.trials:
        quality, p50_ms, size_mb, memory_mb = trial.values
        assert 0.1 < quality <= 1
        assert p50_ms > 0
        assert 0.01 < size_mb < 1
        assert 20 < memory_mb < 1000
    assert study.trials[0].values[2] == study.trials[1].values[2]


def test_the_quality_of_a_trial_is_that_of_its_weights(workbench: Workbench) -> None:
    study = searched(workbench, "in_process", trials=1, objectives=("quality", "size_mb"))
    job = workbench.job(study.trials[0].params)
    trained = whole(passes(job, workbench.material(job), Deadline()))
    found = deployed_figures(job, trained, workbench.deployment({}), ["quality"])
    assert found == {"quality": pytest.approx(study.trials[0].values[0])}


def test_nothing_more_is_measured_of_what_is_over(workbench: Workbench) -> None:
    runner, trial = InProcess(workbench), optuna.create_study().ask()
    runner.begin(trial.number, {})
    while (report := runner.wait(60)) and report.score is not None:
        pass
    asked: list[float] = []

    def check() -> None:
        asked.append(0)
        if len(asked) == 3:
            raise CutShort("the budget is used")

    objectives: tuple[Objective, ...] = ("quality", "p95_ms", "memory_mb")
    with pytest.raises(CutShort, match="the budget is used"):
        at_the_end(workbench, objectives, runner)(trial, Used(), 0.5, check)
    assert len(asked) == 3, "before the export, after it, before the quality, and then no more"


def test_whoever_waits_for_the_others_passes_waits_no_longer_than_there_is_time(
    workbench: Workbench, cluster: None
) -> None:
    del cluster
    actors = Actors(workbench, 2)
    for number, epochs in ((0, 1), (1, 2000)):
        actors.begin(number, {"students.0.epochs": epochs, "students.0.batch_size": 1})
    while (report := actors.wait(60)) is None or report.number == 1:
        pass
    began = time.monotonic()

    def check() -> None:
        raise CutShort("stopped by a tag")

    with pytest.raises(CutShort, match="stopped by a tag"):
        actors.trained(0, check)
    assert time.monotonic() - began < 5
    actors.close()


def test_what_a_deployment_is_proven_by_is_read_once(workbench: Workbench) -> None:
    one = workbench.deployment({})
    other = workbench.deployment({"students.0.lr": 0.01, "compress.quantize": "int8"})
    assert other.rows is one.rows
    assert other.sample is one.sample


def test_trained_together_nothing_is_exported() -> None:
    with pytest.raises(ValueError, match="quality, size_mb are measured of one exported model"):
        SearchConfig(engine="together", objectives=("quality", "size_mb"))


def test_the_form_of_a_trial_is_a_setting(workbench: Workbench) -> None:
    assert workbench.deployment({}).form is None
    form = workbench.deployment({"compress.quantize": "int8-static"}).form
    assert form is not None
    assert form.precision == "int8-static"
    assert workbench.deployment({"compress.quantize": "none"}).form is None


def test_what_an_answer_costs_is_known_before_the_last_pass(workbench: Workbench) -> None:
    objectives: tuple[Objective, ...] = ("quality", "size_mb", "p50_ms", "parameters")
    runner, trial = InProcess(workbench), optuna.create_study().ask()
    runner.begin(trial.number, {})
    at_rung = at_a_rung(workbench, objectives, runner)
    found = at_rung(trial, Used(), 0.5)
    assert found[0] == 0.5, "the score stands in for the quality"
    assert at_rung(trial, Used(), 0.7) == [0.7, *found[1:]], "it is measured once"
    while (report := runner.wait(60)) and report.score is not None:
        pass
    quality, size_mb, p50_ms, parameters = at_the_end(workbench, objectives, runner)(
        trial, Used(), 0.7
    )
    assert quality not in (0.5, 0.7)
    assert p50_ms not in (0, found[2]), "of what was trained it is measured again"
    assert (size_mb, parameters) == (pytest.approx(found[1], rel=0.01), found[3])


def test_trials_of_several_objectives_are_given_up(workbench: Workbench) -> None:
    """Nobody is cheaper here: the better scores go on, one by one as together."""
    given: dict[str, Any] = {"objectives": ("score", "parameters"), "pruner": "asha", "trials": 8}
    alone, crew = (searched(workbench, each, **given) for each in ("in_process", "together"))
    states = [trial.state.name for trial in alone.trials]
    assert states[:2] == ["COMPLETE", "COMPLETE"]
    assert {*states} == {"COMPLETE", "PRUNED"}
    assert [trial.state.name for trial in crew.trials] == states
    assert all(trial.state.name == "COMPLETE" for trial in alone.best_trials)
