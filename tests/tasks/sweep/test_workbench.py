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

from tasks.compression.distil_config import DistilConfig
from tasks.data.config import DataConfig
from tasks.sweep.benches import Actors
from tasks.sweep.passes import Deadline, passes
from tasks.sweep.runners import InProcess, Report, Runner
from tasks.sweep.space import Values
from tasks.sweep.target import Target
from tasks.sweep.workbench import Workbench
from tasks.training.architectures import MiniLM
from tasks.training.blueprints import OF_THE_COURSE, blueprint_of
from tasks.training.fixed_features import are_features
from tasks.training.job import TrainingJob, material_of
from tasks.training.recipes import Lesson
from tasks.training.text_architectures import Transformer
from tests.in_process import site_of, snapshot

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
    assert made.by == 0  # and the others are not charged for it
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
