"""From a trained model to its report, step by step, with a folder in the place of S3."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import tasks.calibrate_candidate
import tasks.evaluate_candidate
import tasks.export_model
import tasks.fit_baseline
import tasks.measure_costs
import tasks.predict_file
import tasks.quantize_candidate
from tasks.artifacts import Candidate, DatasetRef, TrainedModel
from tasks.compression.config import QuantizeConfig
from tasks.packaging.answers import load_answers
from tasks.packaging.bundle import read_facts
from tasks.packaging.manifest import verify_manifest
from tests.tasks.conftest import CLASSES

VERBS = (
    tasks.calibrate_candidate,
    tasks.evaluate_candidate,
    tasks.export_model,
    tasks.fit_baseline,
    tasks.measure_costs,
    tasks.predict_file,
    tasks.quantize_candidate,
)


class FolderStorage:
    """Storage's folders, in a folder."""

    bucket = "modelworks"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uploads: list[str] = []

    def upload_folder(self, folder: Path, prefix: str) -> str:
        verify_manifest(folder)
        self.uploads.append(prefix)
        shutil.copytree(folder, self.root / prefix, dirs_exist_ok=True)
        return f"s3://{self.bucket}/{prefix}/"

    def fetch_folder(self, uri: str) -> Path:
        return self.root / uri.removeprefix(f"s3://{self.bucket}/")

    def exists(self, key: str) -> bool:
        return (self.root / key).exists()


@pytest.fixture
def storage(
    tmp_path: Path, small_dataset: tuple[Path, DatasetRef], monkeypatch: pytest.MonkeyPatch
) -> FolderStorage:
    made = FolderStorage(tmp_path / "bucket")
    shutil.copytree(small_dataset[0], made.fetch_folder(small_dataset[1].uri))
    for verb in VERBS:
        monkeypatch.setattr(verb, "open_storage", lambda: made)
    return made


@pytest.fixture
def student(storage: FolderStorage, make_model: Callable[[str], Path]) -> TrainedModel:
    shutil.copytree(make_model("ngram_bag"), storage.root / "models/1")
    return TrainedModel(
        name="bag",
        role="student",
        parent="teacher",
        uri="s3://modelworks/models/1/",
        sha256="5" * 64,
        params=16_000,
    )


@pytest.fixture
def dataset(small_dataset: tuple[Path, DatasetRef]) -> DatasetRef:
    return small_dataset[1]


@pytest.fixture
def candidates(student: TrainedModel, dataset: DatasetRef) -> list[Candidate]:
    exported = tasks.export_model.export_model.fn(student, dataset)
    return [
        exported,
        tasks.quantize_candidate.quantize_candidate.fn(exported, QuantizeConfig(), dataset),
    ]


def test_candidates_know_where_they_come_from(candidates: list[Candidate]) -> None:
    exported, shrunk = candidates
    assert (exported.name, exported.role, exported.parent) == ("bag", "student", "teacher")
    assert (shrunk.name, shrunk.role, shrunk.parent) == ("bag-int8", "compressed", "bag")
    assert exported.model_sha256 == shrunk.model_sha256 == "5" * 64
    assert shrunk.size_bytes < exported.size_bytes / 2


def test_a_report_is_made_of_the_bundles_own_answers(
    storage: FolderStorage, candidates: list[Candidate], dataset: DatasetRef
) -> None:
    costs = tasks.measure_costs.measure_costs.fn(candidates, [], dataset)
    evaluate = tasks.evaluate_candidate.evaluate_candidate.fn
    reports = [
        evaluate(candidate, cost, dataset, split)
        for candidate, cost in zip(candidates, costs, strict=True)
        for split in ("valid", "test")
    ]
    assert [report.rows for report in reports] == [30] * 4
    assert all(sum(map(sum, report.confusion)) == 30 for report in reports)
    assert [cost.eager_p50_ms for cost in costs] == [None, None]
    # The export's answers to the validation rows are not asked for again.
    predictions = [prefix for prefix in storage.uploads if prefix.startswith("predictions/")]
    assert len(predictions) == len(set(predictions)) == 4


def test_a_champion_of_other_rows_is_judged_by_name(
    storage: FolderStorage, candidates: list[Candidate], dataset: DatasetRef
) -> None:
    """A new class that sorts first moves all others; the bundle is as good as it was."""
    (cost,) = tasks.measure_costs.measure_costs.fn(candidates[:1], [], dataset)
    other = {"classes": ("awful", *dataset.classes), "sha256": "7" * 64}
    tonight = dataset.model_copy(update=other)
    evaluate = tasks.evaluate_candidate.evaluate_candidate.fn
    before, now = (evaluate(candidates[0], cost, d, "test") for d in (dataset, tonight))
    for name in ("accuracy", "log_loss", "calibration_error", *(f"f1/{c}" for c in CLASSES)):
        assert now.metrics[name] == pytest.approx(before.metrics[name]), name
    assert now.metrics["macro_f1"] == pytest.approx(before.metrics["macro_f1"] * 3 / 4)
    answers = [load_answers(storage.fetch_folder(r.predictions_uri)) for r in (before, now)]
    assert answers[1].tolist() == [[0, *row] for row in answers[0].tolist()]


def test_a_calibrated_candidate_gives_the_same_answers_with_less_confidence(
    storage: FolderStorage, candidates: list[Candidate], dataset: DatasetRef
) -> None:
    (cost, _) = tasks.measure_costs.measure_costs.fn(candidates, [], dataset)
    evaluate = tasks.evaluate_candidate.evaluate_candidate.fn
    temperatures = []
    for candidate in candidates:
        calibrated = tasks.calibrate_candidate.calibrate_candidate.fn(candidate, dataset)
        assert calibrated.name == candidate.name
        assert calibrated.sha256 != candidate.sha256
        temperatures.append(read_facts(storage.fetch_folder(calibrated.uri)).temperature)
        reports = [evaluate(c, cost, dataset, "valid") for c in (candidate, calibrated)]
        assert reports[0].confusion == reports[1].confusion
        assert reports[1].metrics["log_loss"] < reports[0].metrics["log_loss"]
    assert all(temperature > 1 for temperature in temperatures), "weights by chance are no ground"


def test_a_candidate_that_makes_no_mistake_is_left_as_it_is(
    storage: FolderStorage, dataset: DatasetRef
) -> None:
    baseline = tasks.fit_baseline.fit_baseline.fn(dataset)
    exported = tasks.export_model.export_model.fn(baseline, dataset)
    before = list(storage.uploads)
    assert tasks.calibrate_candidate.calibrate_candidate.fn(exported, dataset) == exported
    assert storage.uploads == before, "its answers were kept, and no bundle was written"


def test_a_step_that_runs_twice_gives_the_same(
    student: TrainedModel, candidates: list[Candidate], dataset: DatasetRef
) -> None:
    assert tasks.export_model.export_model.fn(student, dataset) == candidates[0]


def test_only_a_teacher_is_timed_in_eager_torch(
    student: TrainedModel, candidates: list[Candidate], dataset: DatasetRef
) -> None:
    teacher = student.model_copy(update={"role": "teacher"})
    (cost,) = tasks.measure_costs.measure_costs.fn(candidates[:1], [teacher], dataset)
    assert cost.eager_p50_ms is not None
    assert cost.eager_p50_ms > 0


def test_the_baseline_is_a_model_like_any_other(
    storage: FolderStorage, dataset: DatasetRef
) -> None:
    baseline = tasks.fit_baseline.fit_baseline.fn(dataset)
    assert (baseline.name, baseline.role) == ("tfidf-logreg", "baseline")
    assert tasks.export_model.export_model.fn(baseline, dataset).params == baseline.params


def test_a_file_is_scored_from_a_stored_bundle(candidates: list[Candidate], tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("text\nlate crew\n")
    assert tasks.predict_file.predict_file(candidates[1].uri, source, tmp_path / "out.csv") == 1
    assert (tmp_path / "out.csv").read_text().startswith("text,label,probability_bad")
