"""Every shipped project on a sample, from its file to a decision and to answers for its own rows.

All by one process, which imports what it needs once: that the command is one of its own is tried by
the other tests.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flows.cli.main import app, guarded
from flows.project_file import load_project
from tasks.data.reading import read_table
from tasks.data.source_table import source_table
from tasks.evaluation.scoring import write_rows

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = sorted((ROOT / "flows" / "projects").glob("*.yaml"))
OWN_ROWS = 5
SUFFIXES = {"digits": ".jsonl", "vowels": ".jsonl", "voices": ".parquet"}
"""Of files whose cells a CSV does not hold."""
STRANGE: dict[str, dict[str, Any]] = {
    "flights": {"carrier": "??", "dest": "never met", "distance": "NA", "flight": ""},
    "movies": {"user": "a stranger", "movie": "never shown", "year": "", "genres": "unheard of"},
    "watchlist": {"user": "a stranger"},
    "language": {"text": ""},
    "sentiment": {"text": "\N{SNOWMAN} unbekannt"},
}
"""Cells that no training row had, in one row more."""
pytestmark = pytest.mark.stack


@pytest.fixture(scope="module", autouse=True)
def nothing_stays() -> Iterator[None]:
    """The cluster's workers go when those who asked for them leave it."""
    yield
    import ray  # reads settings when it is imported

    ray.shutdown()


@pytest.fixture
def modelworks(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, Any]]:
    """The command's one JSON object, when it is called with these words."""
    del stack
    monkeypatch.chdir(ROOT)

    def answer(*arguments: str) -> dict[str, Any]:
        code = guarded(lambda: app([*arguments, "--json"], standalone_mode=False))
        said = capsys.readouterr()
        assert code == 0, said.err
        return dict(json.loads(said.out))

    return answer


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.stem)
def test_a_sample_of_each_shipped_project_ends_with_a_decision(
    modelworks: Callable[..., dict[str, Any]], project: Path, tmp_path: Path
) -> None:
    outcome = modelworks("run", str(project), "--sample", "200")
    assert outcome["decision"]["verdict"] in ("promoted", "held"), outcome["decision"]["reason"]
    roles = {candidate["role"] for candidate in outcome["candidates"]}
    assert {"baseline", "teacher", "student", "control"} <= roles
    assert modelworks("compare", outcome["project"])["candidates"]
    if outcome["decision"]["verdict"] == "held":
        modelworks("promote", outcome["project"], "--reason", "its answers are looked at")
    check_answers(modelworks, outcome["project"], project, tmp_path)


def check_answers(
    modelworks: Callable[..., dict[str, Any]], name: str, project: Path, folder: Path
) -> None:
    """The champion answers rows of its own source, without their truth, as its task says."""
    data = load_project(project).data
    columns = own_rows(project)
    suffix = SUFFIXES.get(project.stem, ".csv")
    write_rows(folder / f"in{suffix}", columns)
    count = OWN_ROWS + (project.stem in STRANGE)
    target = folder / "out.jsonl"
    assert modelworks("predict", name, str(folder / f"in{suffix}"), str(target))["rows"] == count
    found = read_table(target, "utf-8").columns
    assert list(found)[: len(columns)] == list(columns)
    FORMS[data.task]({n: cells for n, cells in found.items() if n not in columns})
    if files := as_files(project.stem, columns, folder):
        said = modelworks("predict", name, str(files), str(folder / "files.jsonl"))
        assert said["rows"] == OWN_ROWS
        same = read_table(folder / "files.jsonl", "utf-8").columns
        assert same["label"] == found["label"]
    if project.stem == "vowels":
        assert modelworks("predict", name, data.split.files["test"], str(target))["rows"] == 370


def own_rows(project: Path) -> dict[str, list[Any]]:
    """The first rows of the project's source without the target, and a strange one."""
    data = load_project(project).data
    table = source_table(data, Path()).taking(np.arange(OWN_ROWS)).without([data.target])
    columns = {column: list(table.columns[column]) for column in table.names}
    if project.stem not in STRANGE:
        return columns
    return {
        column: [*cells, STRANGE[project.stem].get(column, cells[0])]
        for column, cells in columns.items()
    }


def as_files(stem: str, columns: Mapping[str, list[Any]], folder: Path) -> Path | None:
    """The same rows as a folder of files, where they could be such."""
    contents: dict[str, list[bytes]] = {
        ".wav": columns.get("clip", []),
        ".png": [picture(cell) for cell in columns.get("image", [])],
    }
    (folder / stem).mkdir()
    for suffix, cells in contents.items():
        for row, cell in enumerate(cells):
            (folder / stem / f"{row}{suffix}").write_bytes(cell)
    return folder / stem if any(contents.values()) else None


def picture(pixels: list[list[int]]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.array(pixels, dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def are_classes(found: dict[str, list[Any]]) -> None:
    labels = found.pop("label")
    shares = np.array(list(found.values()))
    assert [name.partition("_")[0] for name in found] == ["probability"] * len(found)
    assert shares.sum(axis=0) == pytest.approx(np.ones(len(labels)), abs=1e-4)
    assert labels == [list(found)[at].partition("_")[2] for at in shares.argmax(axis=0)]


def are_numbers(found: dict[str, list[Any]]) -> None:
    assert list(found) == ["prediction"]
    assert np.isfinite(np.array(found["prediction"], dtype=float)).all()


def are_items(found: dict[str, list[Any]]) -> None:
    assert list(found)[:2] == ["item_1", "item_2"]
    items = [cells for name, cells in found.items() if name.startswith("item_")]
    for row in zip(*items, strict=True):
        assert len(set(row)) == len(items) == 10
        assert all(isinstance(item, str) for item in row)
    assert all(0 < score <= 1 for score in found["score_1"])


def are_texts(found: dict[str, list[Any]]) -> None:
    assert list(found) == ["continuation", "bits_per_byte"]
    assert all(isinstance(text, str) for text in found["continuation"])
    assert np.isfinite(np.array(found["bits_per_byte"], dtype=float)).all()


FORMS: dict[str, Callable[[dict[str, list[Any]]], None]] = {
    "classification": are_classes,
    "regression": are_numbers,
    "ranking": are_items,
    "generation": are_texts,
}
"""What the new columns are, by task."""
