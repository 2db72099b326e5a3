"""A column that is no input divides the holdout, of every kind whose rows have such columns."""

import base64
import io
import json
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from flows.project import Project
from flows.project_file import load_project
from tasks.data.beside import declared_slices
from tasks.data.dataset import write_dataset
from tasks.data.prepare import prepare_rows
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.case import judged_rows
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.examination import Subject, examine
from tasks.evaluation.quality import report_of
from tasks.packaging.export import export_bundle
from tasks.packaging.predictor import Predictor
from tests.in_process import snapshot
from tests.tasks.evaluation.test_plots import report as report_like

ROWS = 120
SITES = ("north", "south", "", "west")
Cells = Sequence[Any]


def sites() -> list[str]:
    return [SITES[row // 2 % 4] for row in range(ROWS)]


def labels() -> list[str]:
    return [("down", "up")[row % 2] for row in range(ROWS)]


def csv_of(columns: dict[str, Cells]) -> str:
    lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    return "\n".join([",".join(columns), *lines]) + "\n"


def texts(folder: Path) -> dict[str, Any]:
    random = np.random.default_rng(3)
    drawn = [" ".join(f"word{n}" for n in random.integers(0, 300, 9)) for _ in range(ROWS)]
    words = [f"{label} {text}" for label, text in zip(labels(), drawn, strict=True)]
    columns = {"body": words, "site": sites(), "y": labels()}
    (folder / "rows.csv").write_text(csv_of(columns))
    return {"kind": "text"}


def table(folder: Path) -> dict[str, Any]:
    numbers = [row * 17 % 101 + 50 * (label == "up") for row, label in enumerate(labels())]
    columns = {"age": numbers, "site": sites(), "y": labels()}
    (folder / "rows.csv").write_text(csv_of(columns))
    return {"kind": "table"}


def pictures(folder: Path) -> dict[str, Any]:
    names = [f"{row}.png" for row in range(ROWS)]
    for row, name in enumerate(names):
        pixels = np.random.default_rng(row).integers(0, 120, (8, 8), dtype=np.uint8)
        pixels[4 * (row % 2) :] += np.uint8(100)
        Image.fromarray(pixels).save(folder / name)
    (folder / "rows.csv").write_text(csv_of({"photo": names, "site": sites(), "y": labels()}))
    return {"kind": "image", "image": {"size": 8}}


def sounds(folder: Path) -> dict[str, Any]:
    clips = []
    for row in range(ROWS):
        steps = np.arange(1600) * 2 * np.pi / 8000
        noise = np.random.default_rng(row).normal(0, 0.05, len(steps))
        samples = 8000 * (np.sin(steps * (300 + 900 * (row % 2))) + noise)
        stream = io.BytesIO()
        with wave.open(stream, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(samples.astype("<i2").tobytes())
        clips.append(base64.b64encode(stream.getvalue()).decode())
    (folder / "rows.csv").write_text(csv_of({"clip": clips, "site": sites(), "y": labels()}))
    return {"kind": "audio", "audio": {"sample_rate": 8000, "seconds": 0.2}}


def steps(folder: Path) -> dict[str, Any]:
    rows = [(row, step) for row in range(ROWS) for step in range(6)]
    wave_of = np.random.default_rng(1).normal(size=len(rows)).round(3)
    columns = {
        "machine": [row for row, _ in rows],
        "second": [step for _, step in rows],
        "heat": [x + 3 * (row % 2) for x, (row, _) in zip(wave_of, rows, strict=True)],
        "site": [sites()[row] for row, _ in rows],
        "y": [labels()[row] for row, _ in rows],
    }
    (folder / "rows.csv").write_text(csv_of(columns))
    return {"kind": "series", "series": {"id": "machine", "time": "second"}}


def ratings(folder: Path) -> dict[str, Any]:
    columns = {
        "who": [f"u{row % 10}" for row in range(ROWS)],
        "what": [f"i{row // 10}" for row in range(ROWS)],
        "site": sites(),
        "y": [1 + row * 7 % 5 for row in range(ROWS)],
    }
    (folder / "rows.csv").write_text(csv_of(columns))
    asked = {"interactions": {"user": "who", "item": "what"}, "task": "regression"}
    return {"kind": "interactions", **asked}


KINDS = (texts, table, pictures, sounds, steps, ratings)


def project(folder: Path, data: dict[str, Any], slices: Sequence[str] = ("site",)) -> Project:
    data = {"source": "rows.csv", "target": "y", **data}
    path = folder / "project.yaml"
    evaluate = {"slices": list(slices)}
    path.write_text(yaml.safe_dump({"name": "demo", "data": data, "evaluate": evaluate}))
    return load_project(path)


@pytest.mark.parametrize("written", KINDS, ids=lambda written: written.__name__)
def test_each_row_lies_in_the_slice_that_its_own_cell_names(
    written: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    config = project(tmp_path, written(tmp_path)).data
    dataset = snapshot(config, tmp_path, tmp_path / "data")
    assert "site" not in dataset.inputs
    for split in ("valid", "test"):
        rows = split_rows(tmp_path / "data", dataset, split)
        (found,) = declared_slices(tmp_path / "data", split, ["site"]).values()
        assert found == [sites()[row] or "missing" for row in rows.row_ids]
        assert "site" not in rows.columns


def test_a_report_on_pictures_is_divided_by_camera(tmp_path: Path) -> None:
    asked = project(tmp_path, pictures(tmp_path))
    data = tmp_path / "data"
    dataset = snapshot(asked.data, tmp_path, data)
    rows = judged_rows(data, dataset, "test")
    save_baseline(data, dataset, tmp_path / "model")
    export_bundle(tmp_path / "model", tmp_path / "bundle", "y", rows.columns)
    answers = Predictor.load(tmp_path / "bundle").probabilities(rows.columns)
    like = report_like("floor", "baseline", 0.5, 1.0)
    chosen = report_of(like.candidate, like.cost, rows, dataset, (answers, "s3://b/p/"), "test")
    sha256 = like.candidate.sha256
    subject = Subject(chosen, tmp_path / "bundle", {sha256: "chosen: floor"}, {sha256: answers})
    config = EvaluateConfig(slices=asked.evaluate.slices, slice_rows=10, probe_rows=10, mistakes=1)
    report, _ = examine(subject, data, dataset, config, "macro_f1")
    counted = {each.name: each.rows for each in report.slices if each.slicing == "site"}
    assert set(counted) == {"north", "south", "missing", "west"}
    assert sum(counted.values()) == len(rows)


@pytest.mark.parametrize(
    ("written", "slices", "sentence"),
    [
        (table, ["sight"], "evaluate.slices 'sight' is not a column of rows.csv, did you mean"),
        (pictures, ["camera"], "evaluate.slices 'camera' is not a column of rows.csv; columns"),
        (steps, ["heat"], "evaluate.slices 'heat' is "),
    ],
    ids=["nearly", "no such column", "a channel"],
)
def test_what_cannot_divide_is_refused_before_anything_is_trained(
    written: Callable[[Path], dict[str, Any]], slices: list[str], sentence: str, tmp_path: Path
) -> None:
    config = project(tmp_path, written(tmp_path), slices).data
    with pytest.raises(ValueError, match=sentence):
        prepare_rows(config, tmp_path)


def test_a_column_that_is_sliced_by_is_an_input_only_where_inputs_names_it(tmp_path: Path) -> None:
    data = table(tmp_path)
    guessed = prepare_rows(project(tmp_path, data).data, tmp_path)
    assert guessed.config.inputs == ("age",)
    named = prepare_rows(project(tmp_path, data | {"inputs": ["age", "site"]}).data, tmp_path)
    assert named.config.inputs == ("age", "site")
    assert named.config.beside == ()


def test_a_column_to_group_by_is_sliced_by_in_its_own_type(tmp_path: Path) -> None:
    rows = [
        {"age": row * 17 % 101, "site": (row // 4 + 0.5, str(row // 4), "")[row // 4 % 3], "y": y}
        for row, y in enumerate(labels())
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"source": "rows.jsonl", "kind": "table"}
    apart = prepare_rows(project(tmp_path, data).data, tmp_path)
    asked = project(tmp_path, {**data, "split": {"group_by": "site"}}).data
    grouped = prepare_rows(asked, tmp_path)
    assert list(grouped.kept["site"]) == list(apart.kept["site"])
    assert {None, 0.5, 1.0} <= set(grouped.kept["site"])
    write_dataset(grouped, tmp_path)
    assert len(set(grouped.groups)) < len(set(apart.groups))
