"""What a trial trains ahead of its passes: as a run does, once for all that share it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import ray
from optuna.storages import InMemoryStorage
from pyarrow import fs

from tasks.artifacts import DatasetRef
from tasks.compression.config import PruneConfig, RecoverConfig
from tasks.compression.distil_config import DistilConfig
from tasks.compression.pruning_rounds import prune_into, recovery_of
from tasks.costs.cost import Prices
from tasks.sweep.ahead import Ahead
from tasks.sweep.benches import Actors
from tasks.sweep.config import SearchConfig, SweepBudget
from tasks.sweep.confirming import FIRST_SEED, jobs_of
from tasks.sweep.passes import OUT_OF_BUDGET
from tasks.sweep.runners import InProcess, Report, Runner
from tasks.sweep.searching import Search, cluster_of, search, trials_of, why_one_by_one
from tasks.sweep.space import Dimension, Values
from tasks.sweep.study import open_study
from tasks.sweep.target import Target
from tasks.sweep.workbench import Workbench
from tasks.training.checkpoint import CheckpointStore
from tasks.training.distributed import _board_of
from tasks.training.model_folder import load_history, trained_blueprint
from tasks.training.recipes import Lesson, SavedModel, save_trained, student_job, train_into
from tasks.training.text_architectures import Transformer
from tests.in_process import site_of, taught
from tests.tasks.sweep.test_searching import Nobody

PASSES = 2
SMALL = Transformer(
    name="small", layers=2, width=16, heads=4, feed_forward=32, epochs=2, choose_by="loss"
)
RECOVER = RecoverConfig(epochs=PASSES, lr=3e-3)
PRUNE = PruneConfig(of="small", neurons=0.5, rows=20, rounds=2, recover=RECOVER)
ROOT = "compress.prune.0"
GIVEN: Values = {
    "students.0.width": 8,
    "students.0.lr": 0.01,
    f"{ROOT}.neurons": 0.75,
    f"{ROOT}.heads": 0.5,
    "compress.distil.temperature": 4.0,
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
    _board_of.cache_clear()  # the next cluster's job has the same number


@pytest.fixture
def bench(small_dataset: tuple[Path, DatasetRef], tmp_path: Path) -> Workbench:
    """What goes of a student, which trials train."""
    site = site_of(*small_dataset)
    said = np.random.default_rng(3).normal(size=(site.dataset.rows["train"], 3))
    lesson = Lesson(DistilConfig(), said.astype(np.float32))
    about = {"settings": SMALL.model_dump(mode="json"), "distil": lesson.config, "lr": 3e-3}
    target = Target(root=ROOT, student="students.0", prune=PRUNE, **about)
    ahead = CheckpointStore(fs.LocalFileSystem(), str(tmp_path / "ahead"))
    return Workbench(target, site, lesson, ahead=ahead)


def reports_of(runner: Runner, given: Values, number: int = 0) -> list[Report]:
    """All that comes of one trial, which is not ended."""
    runner.begin(number, given)
    found: list[Report] = []
    while not found or found[-1].score is not None:
        if report := runner.wait(60.0):
            found.append(report)
    return found


def scores_of(reports: list[Report]) -> list[float]:
    return [each.score for each in reports if each.score is not None]


def run_of(bench: Workbench, given: Values, folder: Path) -> SavedModel:
    """What a retraining makes of a student's settings, and of its pruning's."""
    target = bench.target.with_values(given)
    config, lesson = target.model(), Lesson(target.distil, bench.lesson.logits)  # type: ignore[arg-type, union-attr]

    def store(start: str) -> CheckpointStore:
        return CheckpointStore(fs.LocalFileSystem(), f"{folder}-{start}")

    def silent(*_: object) -> None:
        """Nobody is told."""

    source = folder.with_name("source")
    train_into(source, student_job(config, lesson, bench.site), store("student"), silent)
    assert target.prune is not None
    recovery = recovery_of(config, target.prune, lesson, bench.site)
    return prune_into(folder, source, target.prune, recovery, store, silent)


@pytest.mark.parametrize("make", [InProcess, lambda bench: Actors(bench, 2)], ids=["here", "there"])
def test_a_trial_is_the_student_and_the_pruning_of_a_run_with_its_settings(
    bench: Workbench, make: Callable[[Workbench], Runner], tmp_path: Path, cluster: None
) -> None:
    del cluster
    runner = make(bench)
    scores = scores_of(reports_of(runner, GIVEN))
    trial = save_trained(tmp_path / "trial", bench.job(GIVEN), runner.trained(0), [])
    runner.close()
    run = run_of(bench, GIVEN, tmp_path / "run")
    assert (run.digest, run.params) == (trial.digest, trial.params)
    history = load_history(tmp_path / "run")
    assert [-point["valid/loss"] for point in history if "valid/loss" in point] == scores
    assert len(scores) == PASSES


def test_a_teacher_s_rounds_are_those_of_a_run(
    bench: Workbench, small_dataset: tuple[Path, DatasetRef], tmp_path: Path, cluster: None
) -> None:
    del cluster
    site, store = bench.site, bench.ahead
    source = taught(student_job(SMALL, None, site_of(*small_dataset)), tmp_path / "source")
    prune = PRUNE.model_copy(update={"of": "teacher", "rounds": 3})
    target = bench.target.model_copy(update={"student": None, "prune": prune})
    rounds = Workbench(target, site, bench.lesson, trained_blueprint(source), ahead=store)
    runner = InProcess(rounds)
    reports_of(runner, {})
    trial = save_trained(tmp_path / "trial", rounds.job({}), runner.trained(0), [])
    run = prune_into(
        tmp_path / "run",
        source,
        prune,
        recovery_of(SMALL, prune, bench.lesson, site),
        lambda start: replace(store, path=str(tmp_path / start)),  # type: ignore[type-var]
        lambda done, total, message: None,  # noqa: ARG005
    )
    assert run.digest == trial.digest


def stores_in(bench: Workbench) -> set[str]:
    """Where trainings ahead of trials were left."""
    assert bench.ahead is not None
    folder = Path(bench.ahead.path)
    return {each.name for each in folder.iterdir()} if folder.exists() else set()


def test_trials_that_differ_in_what_goes_share_the_student(bench: Workbench) -> None:
    once = {f"{ROOT}.rounds": 1}
    runner = InProcess(bench)
    reports_of(runner, once)
    [student] = stores_in(bench)
    runner.end(0)
    reports_of(runner, {**once, f"{ROOT}.neurons": 0.75}, 1)
    assert stores_in(bench) == {student}
    runner.end(1)
    reports_of(runner, {**once, "students.0.width": 8}, 2)
    assert len(stores_in(bench)) == 2
    runner.end(2)
    reports_of(runner, {}, 3)
    assert len(stores_in(bench)) == 3, "of two rounds the first is kept, too"


def test_shape_of_student_and_shares_are_one_space(bench: Workbench) -> None:
    runner = InProcess(bench)
    reports_of(runner, GIVEN)
    shape = [bench.job(GIVEN).blueprint.config[name] for name in ("width", "heads", "feed_forward")]
    assert shape == [8, 2, 8]
    assert bench.course.epochs == PASSES


def test_what_is_trained_ahead_ends_past_the_budget_and_goes_on(bench: Workbench) -> None:
    runner = InProcess(bench)
    runner.begin(0, {})
    report = runner.wait(0.0)
    assert report is not None
    assert (report.score, report.trouble) == (None, OUT_OF_BUDGET)
    runner.end(0)
    assert isinstance(bench.upcoming({}), Ahead)
    assert len(scores_of(reports_of(runner, {}))) == PASSES


def test_in_the_cluster_it_ends_past_the_budget_too(bench: Workbench, cluster: None) -> None:
    del cluster
    actors = Actors(bench, 1)
    actors.begin(0, {})
    report = None
    while report is None:
        report = actors.wait(0.0)
    assert (report.score, report.trouble) == (None, OUT_OF_BUDGET)
    assert report.cpu_seconds > 0  # what it used up to there is of the budget
    actors.end(0)
    actors.close()


def test_trials_that_share_what_they_train_ahead_are_made_one_at_a_time(
    bench: Workbench, cluster: None
) -> None:
    del cluster
    study = open_study("s", InMemoryStorage(), SearchConfig(), PASSES, [])
    space = {f"{ROOT}.neurons": Dimension(linear=(0.2, 0.8))}
    config = SearchConfig(side_by_side=2)
    runner = cluster_of(Search(study, space, config, SweepBudget(), Prices(), bench, {}))
    assert isinstance(runner, Actors)
    assert runner.slots == 1
    runner.close()


def test_settings_that_do_not_go_together_are_refused_before_anything_is_trained(
    bench: Workbench,
) -> None:
    together: Values = {"students.0.share_layers": True, f"{ROOT}.layers": 0.5}
    for name, value in together.items():
        assert isinstance(bench.upcoming({name: value}), Ahead)
    with pytest.raises(ValueError, match=r"compress\.prune\.0\.layers of small: model transformer"):
        bench.upcoming(together)


def test_who_dies_training_ahead_is_replaced(bench: Workbench, cluster: None) -> None:
    del cluster
    actors = Actors(bench, 1)
    actors.begin(0, GIVEN)
    ray.kill(actors._busy[0].bench)
    scores: list[float] = []
    while len(scores) < PASSES:
        report = actors.wait(60.0)
        if report is not None and report.score is not None:
            scores.append(report.score)
    assert actors._busy[0].deaths == 1
    actors.close()
    assert scores == scores_of(reports_of(InProcess(bench), GIVEN))


def test_a_student_that_falls_apart_is_its_trial_s_end(bench: Workbench, cluster: None) -> None:
    del cluster
    given = {"students.0.lr": 1e30, "students.0.optimizer": "sgd"}
    actors = Actors(bench, 1)
    for runner in (actors, InProcess(bench)):
        if runner is actors:
            [last] = reports_of(runner, given)
            assert "step" in last.trouble
            runner.close()
        else:
            with pytest.raises(ValueError, match="step"):
                runner.begin(0, given)


def test_a_winner_is_trained_from_its_student_on_by_each_seed(
    bench: Workbench, cluster: None
) -> None:
    del cluster
    jobs = jobs_of(bench, [({}, FIRST_SEED), ({f"{ROOT}.rounds": 1}, FIRST_SEED), ({}, 2000)])
    assert [job and job.course.seed for job in jobs] == [FIRST_SEED, FIRST_SEED, 2000]
    assert len(stores_in(bench)) == 4, "two students, two first rounds"
    starts = {job and job.blueprint.start for job in jobs}
    assert len(starts) == 3


def test_a_search_leaves_nothing_of_what_it_trained_ahead(bench: Workbench) -> None:
    space = {
        "students.0.width": Dimension(choice=(8, 16)),
        f"{ROOT}.neurons": Dimension(linear=(0.1, 0.9)),
    }
    config = SearchConfig(
        engine="in_process", sampler="random", objectives=("score", "parameters"), pruner="none"
    )
    study = open_study("one-space", InMemoryStorage(), config, PASSES, [])
    about = Search(study, space, config, SweepBudget(trials=3), Prices(), bench, {})
    assert "trains ahead is trained alone" in why_one_by_one(about)
    ended = search(about, Nobody())
    trials = trials_of(study)
    assert ended.why == "every trial was made"
    assert {each.state for each in trials} == {"complete"}
    assert all(math.isfinite(score) for each in trials for score in each.objectives)
    assert not stores_in(bench)
