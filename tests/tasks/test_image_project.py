"""Pictures from a project's words to a predictor, and a folder scored by it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from tasks.artifacts import DatasetRef
from tasks.compression.gain import is_smaller
from tasks.data.config import DataConfig
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.hog import fit_linear, hog_features
from tasks.evaluation.scoring import score_file
from tasks.packaging.bundle import GRAPH, bundle_bytes, needed_by
from tasks.packaging.export import export_bundle
from tasks.packaging.predictor import Predictor
from tasks.training.architectures import STUDENTS, TEACHERS, Resnet, StudentConfig, TeacherConfig
from tasks.training.model_folder import load_model
from tasks.training.recipes import teacher_job
from tests.in_process import exported, quantized, site_of, snapshot, taught

Data = tuple[Path, DatasetRef, Path]


def drawn(index: int) -> Image.Image:
    """A bright bar, upright or lying, somewhere on noise, in colour."""
    random = np.random.default_rng(index)
    pixels = random.integers(0, 100, (20, 20, 3), dtype=np.uint8)
    place = int(random.integers(4, 14))
    where = (slice(None), slice(place, place + 3))
    pixels[where if index % 2 else where[::-1]] = 250
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Snapshot, its reference, and the folder of pictures that it was made from."""
    folder = tmp_path_factory.mktemp("bars")
    for index in range(160):
        side = folder / "photos" / ("upright" if index % 2 else "lying")
        side.mkdir(parents=True, exist_ok=True)
        drawn(index).save(side / f"{index:03}.png")
    config = DataConfig.model_validate(
        {"source": "photos", "target": "label", "kind": "image", "image": {"size": 16}}
    )
    data = folder / "snapshot"
    return data, snapshot(config, folder, data, "bars"), folder / "photos"


def trained(bars: Data, config: TeacherConfig | StudentConfig, folder: Path) -> Path:
    """The model folder of a short training in this process."""
    short = config.model_copy(update={"epochs": 12})
    return taught(teacher_job(short, config.usual_lr, site_of(*bars[:2])), folder)


@pytest.mark.parametrize(
    "config", [TEACHERS["image"], *STUDENTS["image"], Resnet()], ids=lambda config: config.model
)
def test_a_network_learns_exports_and_answers(
    bars: Data, tmp_path: Path, config: TeacherConfig
) -> None:
    data, dataset, _ = bars
    model = trained(bars, config, tmp_path / "model")
    predictor = exported(data, dataset, model, tmp_path / "bundle")
    test = split_rows(data, dataset, "test")
    answered = predictor.probabilities(test.columns).argmax(axis=1)
    assert (answered == test.labels).mean() >= 0.85
    assert needed_by(tmp_path / "bundle") == ("pillow",)


@pytest.fixture(scope="module")
def baseline(bars: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of HOG and logistic regression."""
    folder = tmp_path_factory.mktemp("baseline")
    name, _, params = save_baseline(bars[0], bars[1], folder / "model")
    assert (name, params) == ("hog-logreg", 2 * (7 * 7 * 36 + 1))
    columns = split_rows(bars[0], bars[1], "valid").columns
    export_bundle(folder / "model", folder / "bundle", "label", columns)
    return folder / "bundle"


def test_the_floor_answers_as_scikit_learn_does(bars: Data, baseline: Path) -> None:
    data, dataset, _ = bars
    _, _, card = load_model(baseline.parent / "model")
    train_rows, valid = (split_rows(data, dataset, split) for split in ("train", "valid"))
    features = [
        hog_features(card.encoder, rows, card.config["cell"]) for rows in (train_rows, valid)
    ]
    expected = fit_linear(features[0], train_rows, dataset).predict_proba(features[1])
    found = Predictor.load(baseline).probabilities(valid.columns)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (found.argmax(axis=1) == valid.labels).mean() > 0.8


def test_int8_keeps_convolutions_as_they_are_and_shrinks_full_layers(
    bars: Data, tmp_path: Path
) -> None:
    data, dataset, _ = bars
    rows = split_rows(data, dataset, "test")
    student = trained(bars, STUDENTS["image"][0], tmp_path / "model")
    source, target = tmp_path / "bundle", tmp_path / "int8"
    export_bundle(student, source, dataset.target, rows.columns)
    quantized((data, dataset), source, target)
    assert bundle_bytes(target) < 0.6 * bundle_bytes(source)
    kinds = {node.op_type for node in onnx.load(target / GRAPH).graph.node}
    assert {"Conv", "MatMulInteger"} <= kinds
    assert "ConvInteger" not in kinds
    before, after = (Predictor.load(path).probabilities(rows.columns) for path in (source, target))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).mean() > 0.9


def test_int8_of_convolutions_alone_is_no_smaller(bars: Data, tmp_path: Path) -> None:
    data, dataset, _ = bars
    columns = split_rows(data, dataset, "valid").columns
    student = trained(bars, STUDENTS["image"][1], tmp_path / "model")
    export_bundle(student, tmp_path / "bundle", dataset.target, columns)
    quantized((data, dataset), tmp_path / "bundle", tmp_path / "int8")
    assert not is_smaller(*(bundle_bytes(tmp_path / name) for name in ("int8", "bundle")))


def listed(photos: Path) -> Path:
    path = photos.parent / "rows.jsonl"
    names = [f"photos/upright/{index:03}.png" for index in (1, 3)] + ["photos/lying/000.png"]
    path.write_text("".join(json.dumps({"path": name, "id": name[-7]}) + "\n" for name in names))
    return path


@pytest.mark.parametrize(
    ("source", "count"), [(lambda photos: photos, 160), (listed, 3)], ids=["folder", "table"]
)
def test_predict_takes_a_folder_or_a_table_of_paths(
    bars: Data, baseline: Path, tmp_path: Path, source: Callable[[Path], Path], count: int
) -> None:
    target = tmp_path / "out.csv"
    assert score_file(baseline, source(bars[2]), target) == count
    rows = list(csv.DictReader(target.open()))
    right = sum(
        row["label"] == ("upright" if int(row["path"][-7:-4]) % 2 else "lying") for row in rows
    )
    assert right >= 0.8 * count
    assert all(row["path"].endswith(".png") and not row["path"].startswith("/") for row in rows)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("../secret.png", "'../secret.png', a path from .* without"),
        ("photos/gone.png", r"column 'path', row 0: gone.png: no such file"),
        ("photos/broken.png", r"column 'path', row 0: neither PNG nor JPEG"),
        (None, "column 'path', row 0: None must be a path"),
    ],
    ids=str,
)
def test_a_file_that_cannot_be_scored_is_one_sentence_and_nothing_is_written(
    bars: Data, baseline: Path, tmp_path: Path, path: Any, sentence: str
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.png").write_text("hello")
    (tmp_path / "in.jsonl").write_text(json.dumps({"path": path}) + "\n")
    with pytest.raises(ValueError, match=sentence):
        score_file(baseline, tmp_path / "in.jsonl", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
