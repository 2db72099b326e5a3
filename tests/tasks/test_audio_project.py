"""Sounds from a project's words to a predictor, and a folder scored by it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from flows.project_file import load_project
from tasks.artifacts import DatasetRef, Task
from tasks.compression.gain import is_smaller
from tasks.data.audio_probe import CHANGES
from tasks.data.config import DataConfig
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.examination import Subject, examine
from tasks.evaluation.quality import report_of
from tasks.evaluation.quality_files import write_report
from tasks.evaluation.regression import number_figures
from tasks.evaluation.scoring import score_file
from tasks.packaging.bundle import bundle_bytes, needed_by
from tasks.packaging.predictor import Predictor
from tasks.training.architectures import STUDENTS, TEACHERS, StudentConfig, TeacherConfig
from tasks.training.recipes import teacher_job
from tests.in_process import exported, quantized, site_of, snapshot, taught
from tests.tasks.evaluation.test_plots import report as report_like

RATE = 8000
Data = tuple[Path, DatasetRef, Path]
PROJECT = """\
name: birds
data:
  source: {source}
  kind: audio
  audio: {{sample_rate: 4000, seconds: 0.6, mels: 16}}
  target: {target}
  task: {task}
"""


def chirp(index: int) -> np.ndarray:
    """A tone that rises or falls, from its own pitch, for its own time, with noise."""
    random = np.random.default_rng(index)
    time = np.arange(int(random.uniform(0.2, 0.5) * RATE)) / RATE
    slope = (1 if index % 2 else -1) * 1200.0
    phase = 2 * np.pi * (random.uniform(700, 1100) * time + slope * (time - time[-1] / 2) ** 2 / 2)
    sound = 0.3 * np.sin(phase) + random.normal(0, 0.02, len(time))
    return np.asarray(np.rint(sound * 32767).astype(np.int16))


def read(folder: Path, task: Task, source: str, target: str) -> tuple[Path, DatasetRef]:
    """The project file read, its rows prepared, and their reference."""
    (folder / "birds.yaml").write_text(PROJECT.format(source=source, target=target, task=task))
    config: DataConfig = load_project(folder / "birds.yaml").data
    data = folder / "snapshot"
    return data, snapshot(config, folder, data, "birds")


@pytest.fixture(scope="module")
def birds(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Snapshot, its reference, and the folder of sounds that it was made from."""
    folder = tmp_path_factory.mktemp("birds")
    for index in range(160):
        side = folder / "calls" / ("up" if index % 2 else "down")
        side.mkdir(parents=True, exist_ok=True)
        wavfile.write(side / f"{index:03}.wav", RATE, chirp(index))
    return *read(folder, "classification", "calls", "label"), folder / "calls"


def trained(
    data: Path, dataset: DatasetRef, config: TeacherConfig | StudentConfig, folder: Path
) -> Path:
    """The model folder of a short training in this process."""
    short = config.model_copy(update={"epochs": 12})
    return taught(teacher_job(short, config.usual_lr, site_of(data, dataset)), folder)


@pytest.mark.parametrize(
    "config", [TEACHERS["audio"], *STUDENTS["audio"]], ids=lambda config: config.name
)
def test_a_network_learns_exports_and_answers(
    birds: Data, tmp_path: Path, config: TeacherConfig
) -> None:
    data, dataset, _ = birds
    model = trained(data, dataset, config, tmp_path / "model")
    predictor = exported(data, dataset, model, tmp_path / "bundle")
    test = split_rows(data, dataset, "test")
    found = predictor.probabilities(test.columns)
    assert (found.argmax(axis=1) == test.labels).mean() >= 0.9
    one_by_one = [predictor.probabilities({"path": [cell]})[0] for cell in test.columns["path"][:8]]
    assert np.array_equal(found[:8], one_by_one)
    assert needed_by(tmp_path / "bundle") == ()


def test_int8_of_convolutions_alone_is_no_smaller(birds: Data, tmp_path: Path) -> None:
    data, dataset, _ = birds
    model = trained(data, dataset, STUDENTS["audio"][0], tmp_path / "model")
    exported(data, dataset, model, tmp_path / "bundle")
    quantized((data, dataset), tmp_path / "bundle", tmp_path / "int8")
    assert not is_smaller(*(bundle_bytes(tmp_path / name) for name in ("int8", "bundle")))


@pytest.fixture(scope="module")
def baseline(birds: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of MFCC statistics and logistic regression."""
    data, dataset, _ = birds
    folder = tmp_path_factory.mktemp("baseline")
    name, _, params = save_baseline(data, dataset, folder / "model")
    assert (name, params) == ("mfcc-logreg", 2 * (4 * 16 + 1))
    exported(data, dataset, folder / "model", folder / "bundle")
    return folder / "bundle"


def test_the_floor_answers_well(birds: Data, baseline: Path) -> None:
    test = split_rows(birds[0], birds[1], "test")
    found = Predictor.load(baseline).probabilities(test.columns)
    assert (found.argmax(axis=1) == test.labels).mean() > 0.8


def test_the_quality_report_has_its_questions(birds: Data, baseline: Path, tmp_path: Path) -> None:
    data, dataset, _ = birds
    rows = split_rows(data, dataset, "test")
    found = Predictor.load(baseline).probabilities(rows.columns)
    found = found[:, ::-1].copy()  # every answer a mistake, or nearly
    like = report_like("mfcc", "baseline", 0.5, 1.0)
    chosen = report_of(like.candidate, like.cost, rows, dataset, (found, ""), "test")
    sha256 = like.candidate.sha256
    subject = Subject(chosen, baseline, {sha256: "chosen"}, {sha256: found})
    config = EvaluateConfig(slice_rows=10, probe_rows=30, mistakes=3)
    report, wrong = examine(subject, data, dataset, config, "macro_f1")
    assert {"length", "loudness"} <= {s.slicing for s in report.slices}
    assert [p.name for p in report.robustness] == ["as they are", *CHANGES]
    assert all(name.endswith(" s") for m in wrong.mistakes for name, _ in m.parts)
    write_report(report, wrong, subject, rows.labels, dataset, tmp_path)
    assert (tmp_path / "report" / "mistakes.html").stat().st_size > 1000


def test_numbers_are_learned_from_sounds(birds: Data, tmp_path: Path) -> None:
    calls = birds[2]
    for path in calls.rglob("*.wav"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    seconds = {path.name: len(wavfile.read(path)[1]) / RATE for path in tmp_path.glob("*.wav")}
    lines = "".join(f"{name},{value}\n" for name, value in sorted(seconds.items()))
    (tmp_path / "rows.csv").write_text("file,seconds\n" + lines)
    data, dataset = read(tmp_path, "regression", "rows.csv", "seconds")
    assert save_baseline(data, dataset, tmp_path / "floor")[0] == "mfcc-ridge"
    network = trained(data, dataset, TEACHERS["audio"], tmp_path / "model")
    test = split_rows(data, dataset, "test")
    for model in (tmp_path / "floor", network):
        predictor = exported(data, dataset, model, tmp_path / f"{model.name}-bundle")
        found = predictor.probabilities(test.columns)
        assert number_figures(found, test.labels, ())[0]["r2"] > 0.3


def listed(calls: Path) -> Path:
    path = calls.parent / "rows.jsonl"
    names = [f"calls/up/{index:03}.wav" for index in (1, 3)] + ["calls/down/000.wav"]
    path.write_text("".join(json.dumps({"path": name, "id": name[-7]}) + "\n" for name in names))
    return path


@pytest.mark.parametrize(
    ("source", "count"), [(lambda calls: calls, 160), (listed, 3)], ids=["folder", "table"]
)
def test_predict_takes_a_folder_or_a_table_of_paths(
    birds: Data, baseline: Path, tmp_path: Path, source: Callable[[Path], Path], count: int
) -> None:
    target = tmp_path / "out.csv"
    assert score_file(baseline, source(birds[2]), target) == count
    rows = list(csv.DictReader(target.open()))
    right = sum(row["label"] == ("up" if int(row["path"][-7:-4]) % 2 else "down") for row in rows)
    assert right >= 0.8 * count
    assert all(row["path"].endswith(".wav") and not row["path"].startswith("/") for row in rows)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("../secret.wav", "'../secret.wav', a path from .* without"),
        ("calls/gone.wav", r"column 'path', row 0: gone.wav: no such file"),
        ("calls/broken.wav", r"column 'path', row 0: no WAV file but MP3"),
        (None, "column 'path', row 0: None must be a path"),
    ],
    ids=str,
)
def test_a_file_that_cannot_be_scored_is_one_sentence_and_nothing_is_written(
    baseline: Path, tmp_path: Path, path: Any, sentence: str
) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "broken.wav").write_bytes(b"ID3\3")
    (tmp_path / "in.jsonl").write_text(json.dumps({"path": path}) + "\n")
    with pytest.raises(ValueError, match=sentence):
        score_file(baseline, tmp_path / "in.jsonl", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
