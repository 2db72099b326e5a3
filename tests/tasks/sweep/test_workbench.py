"""What trials share is made once, and is what each would have made alone."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import ray
import torch
from pyarrow import fs

from tasks.artifacts import DatasetRef
from tasks.compression.config import PruneConfig, RecoverConfig
from tasks.compression.distil_config import DistilConfig
from tasks.compression.pruning_rounds import prune_into, recovery_of
from tasks.data.config import DataConfig
from tasks.sweep.benches import Actors
from tasks.sweep.passes import Deadline, passes
from tasks.sweep.runners import InProcess, Report, Runner
from tasks.sweep.space import Values
from tasks.sweep.target import Target
from tasks.sweep.workbench import Workbench
from tasks.training.architectures import MiniLM
from tasks.training.blueprints import OF_THE_COURSE, blueprint_of
from tasks.training.checkpoint import CheckpointStore
from tasks.training.distributed import _board_of
from tasks.training.fixed_features import are_features
from tasks.training.job import TrainingJob, material_of
from tasks.training.model_folder import load_history, trained_blueprint
from tasks.training.recipes import Lesson, save_trained, student_job
from tasks.training.text_architectures import Transformer
from tests.in_process import site_of, snapshot, taught

ROOT = Path(__file__).resolve().parents[3]
WORDS = ("good", "fine", "bad", "awful and long")
PASSES = 2


def workbench_of(folder: Path, model: Any) -> Workbench:
    texts = [f"day {index} of {index % 7} was {WORDS[index % 4]}" for index in range(160)]
    labels = ["yes" if index % 4 < 2 else "no" for index in range(160)]
    pd.DataFrame({"text": texts, "label": labels}).to_csv(folder / "days.csv", index=False)
    data = {"source": "days.csv", "kind": "text", "inputs": ["text"], "target": "label"}
    split = {"group_by": None}
    config = DataConfig.model_validate(data | {"split": split})
    dataset = snapshot(config, folder, folder / "rows", "days")
    target = Target(root="students.0", settings=model.model_dump(mode="json"), lr=3e-3)
    return Workbench(target, site_of(folder / "rows", dataset))


@pytest.fixture
def frozen(tmp_path: Path) -> Workbench:
    """A head on MiniLM's first layer."""
    model = MiniLM(
        name="frozen", layers=1, min_count=2, frozen=True, epochs=PASSES, choose_by="loss"
    )
    return workbench_of(tmp_path, model)


@pytest.fixture
def transformer(tmp_path: Path) -> Workbench:
    return workbench_of(tmp_path, Transformer(name="t", layers=1, width=16, heads=2, epochs=PASSES))


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
    _board_of.cache_clear()  # the next cluster's job has the same number


def values(lr: float, decay: float) -> Values:
    return {"students.0.lr": lr, "students.0.weight_decay": decay}


def test_rows_and_vocabulary_are_those_of_every_trial(transformer: Workbench) -> None:
    one = transformer.job(values(0.01, 0.1))
    other = transformer.job({"students.0.dropout": 0.3, "students.0.epochs": 7})
    assert other.train is one.train
    assert other.blueprint.files is one.blueprint.files
    assert transformer.material(other) is transformer.material(one)
    assert len(transformer.materials) == 1


@pytest.mark.parametrize(
    "given", [{"dropout": 0.3}, {"width": 32}, {"max_rows": 40}, {"max_rows": 40, "seed": 3}]
)
def test_a_blueprint_is_the_one_that_a_trial_would_have_made(
    transformer: Workbench, given: dict[str, Any]
) -> None:
    transformer.job({})
    job = transformer.job({f"students.0.{name}": value for name, value in given.items()})
    target = transformer.target.with_values({f"students.0.{n}": v for n, v in given.items()})
    assert job.blueprint == blueprint_of(target.model(), transformer.site.dataset, job.train)


def test_other_rows_are_encoded_for_themselves(transformer: Workbench) -> None:
    """Rows of two draws have the same labels in the same order: it is the texts that differ."""
    few = {"students.0.max_rows": 40}
    jobs = [transformer.job({**few, "students.0.seed": seed}) for seed in (1, 2)]
    first, second = (transformer.material(job) for job in jobs)
    assert list(first.train.rows) != list(second.train.rows)
    for job, material in zip(jobs, (first, second), strict=True):
        assert material.train.rows == material_of(job).train.rows


def test_no_blueprint_depends_on_what_is_the_course_s() -> None:
    for path in (ROOT / "tasks" / "training").glob("*.py"):
        if not path.stem.endswith("_models") and path.stem != "text_from_scratch":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                read = node.value.id == "config" and node.attr in OF_THE_COURSE
                assert not read, f"{path.name}:{node.lineno}: config.{node.attr}"


def plain_curve(job: TrainingJob) -> list[float]:
    return list(passes(job, material_of(job), Deadline()))


def reports_of(runner: Runner, given: list[Values]) -> dict[int, list[Report]]:
    """All that comes of these trials, by number."""
    found: dict[int, list[Report]] = {number: [] for number in range(len(given))}
    waiting = list(range(len(given)))
    going: set[int] = set()
    while waiting or going:
        while waiting and len(going) < runner.slots:
            going.add(waiting[0])
            runner.begin(waiting[0], given[waiting.pop(0)])
        if (report := runner.wait(60.0)) is None:
            continue
        found[report.number].append(report)
        if report.score is None:
            runner.end(report.number)
            going.remove(report.number)
    runner.close()
    return found


def curves_of(reports: dict[int, list[Report]]) -> list[list[float]]:
    return [[r.score for r in each if r.score is not None] for each in reports.values()]


TRIALS = [values(1e-2, 0.1), values(1e-3, 0.01), values(3e-2, 0.5)]


def test_a_frozen_encoder_s_features_are_made_once(frozen: Workbench) -> None:
    torch.set_num_threads(1)
    reports = reports_of(InProcess(frozen), TRIALS)
    assert len(frozen.materials) == 1
    assert are_features(frozen.material(frozen.job({})))
    for curve, given in zip(curves_of(reports), TRIALS, strict=True):
        assert curve == pytest.approx(plain_curve(frozen.job(given)), rel=1e-5)


def test_in_warm_processes_it_is_made_by_whoever_needs_it_first(
    frozen: Workbench, cluster: None
) -> None:
    del cluster
    actors = Actors(frozen, 2)
    reports = reports_of(actors, TRIALS)
    [(_, _, made)] = actors._materials._kept
    cpu_seconds, _ = ray.get(made.took)
    assert reports[0][0].cpu_seconds >= cpu_seconds > 0
    assert reports[2][0].cpu_seconds < cpu_seconds, "the others are not charged for it"
    assert curves_of(reports) == curves_of(reports_of(InProcess(frozen), TRIALS))


def test_what_died_with_its_process_is_made_again(frozen: Workbench, cluster: None) -> None:
    del cluster
    actors = Actors(frozen, 2)
    for number in (0, 1):
        actors.begin(number, TRIALS[number])
    ray.kill(actors._busy[0].bench)  # it makes what both wait for
    scores: dict[int, list[float]] = {0: [], 1: []}
    while min(map(len, scores.values())) < PASSES:
        report = actors.wait(60.0)
        if report is not None and report.score is not None:
            scores[report.number].append(report.score)
    actors.close()
    assert list(scores.values()) == curves_of(reports_of(InProcess(frozen), TRIALS[:2]))


def test_values_that_make_no_training_are_told_at_once(
    transformer: Workbench, cluster: None
) -> None:
    del cluster
    actors = Actors(transformer, 1)
    with pytest.raises(ValueError, match="width"):
        actors.begin(0, {"students.0.width": -1})
    actors.end(0)
    assert len(actors._free) == 1
    actors.close()


def test_answers_of_several_teachers_are_one_by_the_trial_s_temperature(tmp_path: Path) -> None:
    bench = workbench_of(tmp_path, Transformer(name="t", layers=1, width=16, heads=2))
    rows = bench.site.dataset.rows["train"]
    config = DistilConfig(teachers=2)
    said = np.random.default_rng(3).normal(size=(rows, 4)).astype(np.float32)
    target = bench.target.model_copy(update={"distil": config})
    taught_bench = Workbench(target, bench.site, Lesson(config, said))
    cold, warm = (
        taught_bench.job({"compress.distil.temperature": t}).train.teacher for t in (1.0, 8.0)
    )
    assert not np.allclose(cold, warm)  # type: ignore[arg-type]


TEACHER = Transformer(
    name="teacher", layers=2, width=16, heads=4, feed_forward=32, epochs=PASSES, choose_by="loss"
)
PRUNE = PruneConfig(neurons=0.5, rows=20, recover=RecoverConfig(epochs=PASSES))
PRUNED = "compress.prune.0"


@pytest.fixture(scope="module")
def teacher_folder(
    small_dataset: tuple[Path, DatasetRef], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("teacher") / "model"
    return taught(student_job(TEACHER, None, site_of(*small_dataset)), folder)


@pytest.fixture
def pruning(small_dataset: tuple[Path, DatasetRef], teacher_folder: Path) -> Workbench:
    """What goes of a small encoder that was trained."""
    site = site_of(*small_dataset)
    said = np.random.default_rng(3).normal(size=(site.dataset.rows["train"], 3))
    lesson = Lesson(DistilConfig(), said.astype(np.float32))
    settings = TEACHER.model_dump(mode="json")
    about = {"settings": settings, "prune": PRUNE, "distil": lesson.config, "lr": 1e-3}
    target = Target(root=PRUNED, **about)
    return Workbench(target, site, lesson, trained_blueprint(teacher_folder))


def test_a_trial_has_the_shape_that_its_shares_leave(pruning: Workbench) -> None:
    shares = {"heads": 0.5, "neurons": 0.75, "linear_rank": 3}
    job = pruning.job({f"{PRUNED}.{name}": value for name, value in shares.items()})
    shape = [job.blueprint.config[name] for name in ("heads", "feed_forward", "linear_rank")]
    assert shape == [2, 8, 3]
    assert pruning.job({}).blueprint.config["feed_forward"] == 16


def test_a_rank_that_makes_nothing_smaller_is_told_when_its_trial_begins(
    pruning: Workbench,
) -> None:
    given = {f"{PRUNED}.heads": 0.5, f"{PRUNED}.linear_rank": 7}
    with pytest.raises(ValueError, match="linear_rank 7 must be at most 5 for"):
        InProcess(pruning).begin(0, given)


def test_what_parts_are_worth_is_measured_once_for_all_shares_and_recoveries(
    pruning: Workbench,
) -> None:
    given = [
        {f"{PRUNED}.neurons": share, f"{PRUNED}.recover.lr": lr}
        for share, lr in ((0.25, 1e-3), (0.75, 1e-2))
    ]
    jobs = [pruning.job(each) for each in given]
    [told] = pruning.told.values()
    assert len(told) == 1
    assert [job.course.lr for job in jobs] == [1e-3, 1e-2]
    fresh = Workbench(pruning.target, pruning.site, pruning.lesson, pruning.trained)
    assert fresh.job(given[1]).blueprint == jobs[1].blueprint
    pruning.job({"compress.distil.weight": 0.2})
    assert len(pruning.told) == 2, "other losses were asked"


def test_a_trial_is_the_pruning_of_a_run_with_its_settings(
    pruning: Workbench, teacher_folder: Path, tmp_path: Path, cluster: None
) -> None:
    del cluster
    recover = {"epochs": PASSES, "lr": 3e-3}
    given = {
        f"{PRUNED}.neurons": 0.75,
        f"{PRUNED}.recover.lr": recover["lr"],
        "compress.distil.temperature": 4.0,
    }
    runner = InProcess(pruning)
    runner.begin(0, given)
    reports = [runner.wait(60.0) for _ in range(PASSES + 1)]
    scores = [each.score for each in reports if each is not None and each.score is not None]
    trial = save_trained(tmp_path / "trial", pruning.job(given), runner.trained(0), [])
    prune = PRUNE.model_validate({**PRUNE.model_dump(), "neurons": 0.75, "recover": recover})
    assert pruning.lesson is not None
    lesson = Lesson(DistilConfig(temperature=4.0), pruning.lesson.logits)
    run = prune_into(
        tmp_path / "run",
        teacher_folder,
        prune,
        recovery_of(TEACHER, prune, lesson, pruning.site),
        lambda start: CheckpointStore(fs.LocalFileSystem(), str(tmp_path / start)),
        lambda done, total, message: None,  # noqa: ARG005
    )
    assert run.digest == trial.digest
    history = load_history(tmp_path / "run")
    assert [-point["valid/loss"] for point in history if "valid/loss" in point] == scores
