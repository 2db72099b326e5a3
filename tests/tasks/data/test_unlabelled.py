"""Rows without labels: which are kept of a source, which are made, and what is refused."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.snapshot import split_rows
from tasks.data.unlabelled import (
    UnlabelledConfig,
    num_rows,
    read_unlabelled,
    write_unlabelled,
)
from tests.in_process import snapshot

WORDS = [
    "awful",
    "late",
    "rude",
    "usual",
    "plain",
    "average",
    "lovely",
    "quick",
    "kind",
    "bags",
    "crew",
    "seat",
    "food",
    "price",
]
CONFIG = DataConfig(source="rows.csv", target="y")


def text(number: int) -> str:
    random = np.random.default_rng(number)
    return " ".join(random.choice(WORDS, 8)) + f" flight{number}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DatasetRef]:
    """A folder with `rows.csv` and its snapshot in `data`."""
    folder = tmp_path_factory.mktemp("place")
    write(folder / "rows.csv", ["text", "y"], [[text(n), "ab"[n % 2]] for n in range(120)])
    return folder, snapshot(CONFIG, folder, folder / "data")


Write = Callable[..., dict[str, Any]]


@pytest.fixture
def gathered(place: tuple[Path, DatasetRef], tmp_path: Path) -> Write:
    def gather(
        source: str | None = None, made: int = 0, seed: int = 7, most: int | None = None
    ) -> dict[str, Any]:
        config = CONFIG.model_copy(update={"source": source}) if source else None
        asked = UnlabelledConfig(source=config, made_rows=made, seed=seed, most_rows=most)
        folder = tmp_path / f"{source}-{made}-{seed}-{most}"
        whole = write_unlabelled(asked, place[0], place[0] / "data", place[1], folder)
        columns = read_unlabelled(folder, place[1])
        assert num_rows(columns) == whole[1] + whole[2]
        return {"digest": whole[0], "found": whole[1], "made": whole[2], **columns}

    return gather


def write(path: Path, names: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def texts_of(place: tuple[Path, DatasetRef], split: Any) -> list[str]:
    return list(split_rows(place[0] / "data", place[1], split).columns["text"])


def test_rows_of_the_dataset_and_copies_of_held_out_ones_go(
    place: tuple[Path, DatasetRef], gathered: Write
) -> None:
    own = [text(n) for n in range(500, 540)]
    held_out = texts_of(place, "test")
    near = [f"RT @somebody {held_out[0]} https://t.co/abc", held_out[1].upper()]
    near_training = f"RT @somebody {texts_of(place, 'train')[0]}"
    known = [texts_of(place, "train")[0], texts_of(place, "valid")[0], held_out[2]]
    rows = [*own, *near, near_training, *known, own[3], "", "   "]
    write(place[0] / "more.csv", ["other", "text"], [["x", row] for row in rows])
    found = gathered("more.csv")
    assert found["text"] == [*own, near_training]
    assert (found["found"], found["made"]) == (41, 0)
    few = gathered("more.csv", most=3)
    assert few["text"] == [own[0], own[20], near_training]


def test_made_rows_are_no_rows_of_the_dataset_and_none_twice(
    place: tuple[Path, DatasetRef], gathered: Write
) -> None:
    found = gathered(made=6)
    assert 5 * place[1].rows["train"] < found["made"] <= 6 * place[1].rows["train"]
    assert len(set(found["text"])) == found["made"]
    training = texts_of(place, "train")
    assert not set(found["text"]) & {*training, *texts_of(place, "valid"), *texts_of(place, "test")}
    assert {w for t in found["text"] for w in t.split()} <= {w for t in training for w in t.split()}


def test_the_same_rows_have_the_same_digest(
    gathered: Write, place: tuple[Path, DatasetRef]
) -> None:
    write(place[0] / "three.csv", ["text"], [[text(n)] for n in (600, 601, 602)])
    both = gathered("three.csv", made=2)
    assert both["found"] == 3
    assert both["text"][:3] == [text(n) for n in (600, 601, 602)]
    assert both["digest"] == gathered("three.csv", made=2)["digest"]
    assert both["digest"] != gathered("three.csv", made=2, seed=8)["digest"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "a.csv",
            "txt,label\ngood,1\n",
            "compress.distil.unlabelled 'text' is not a column of a.csv, did you mean txt?",
        ),
        ("b.jsonl", '{"text": "good"}\n{"text": 3}\n', "b.jsonl:2: data.inputs 'text' is 3"),
        ("c.jsonl", '{"text": "good"\n', "c.jsonl:1"),
        ("d.csv", "", "d.csv is empty"),
        ("e.csv", "text\n   \n", "unlabelled 'e.csv': no row of 1 can be used; the others are"),
        ("f.parquet", "text\ngood\n", "f.parquet"),
    ],
    ids=["column", "cell", "json", "empty", "nothing", "parquet"],
)
def test_a_source_that_cannot_be_used_is_refused_in_one_sentence(
    place: tuple[Path, DatasetRef], gathered: Write, name: str, content: str, sentence: str
) -> None:
    (place[0] / name).write_text(content)
    with pytest.raises(ValueError, match=r".") as raised:
        gathered(name)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_rows_of_a_table_keep_the_types_of_the_dataset(tmp_path: Path) -> None:
    config = DataConfig(source="rows.csv", target="y", kind="table")
    rows = [[f"{n / 7:.3f}", f"c{n % 5}", "ab"[n * n % 3 > 0]] for n in range(90)]
    write(tmp_path / "rows.csv", ["delay", "carrier", "y"], rows)
    dataset = snapshot(config, tmp_path, tmp_path / "data")
    more = [["1", "c3"], ["", "new"], ["2.5", ""]]
    write(tmp_path / "more.csv", ["delay", "carrier"], more)
    source = config.model_copy(update={"source": "more.csv"})
    asked = UnlabelledConfig(source=source, made_rows=2, seed=1)
    data, folder = tmp_path / "data", tmp_path / "more"
    assert write_unlabelled(asked, tmp_path, data, dataset, folder)[1:] == (
        3,
        2 * dataset.rows["train"],
    )
    found = read_unlabelled(folder, dataset)
    training = split_rows(data, dataset, "train").columns
    assert list(found["delay"])[:3] == [1.0, None, 2.5]
    assert {type(column) for column in found.values()} == {type(training["delay"])}
    assert set(list(found["carrier"])[3:]) <= set(training["carrier"])


def test_of_a_table_that_holds_the_labelled_rows_only_the_others_are_taken(tmp_path: Path) -> None:
    config = DataConfig(source="rows.csv", target="y", kind="table")
    rows = [[f"{n % 45 / 7:.3f}", f"c{n % 5}", "ab"[n * n % 3 > 0]] for n in range(90)]
    write(tmp_path / "rows.csv", ["delay", "carrier", "y"], rows)
    dataset = snapshot(config, tmp_path, tmp_path / "data")
    new = [["9.5", "c2"], rows[3][:2], ["8", "new"]]  # a third row that is as two others are
    whole = [*(row[:2] for row in rows), *new]
    write(tmp_path / "whole.csv", ["delay", "carrier"], [whole[-1], *whole[:-1]])
    asked = UnlabelledConfig(source=config.model_copy(update={"source": "whole.csv"}))
    data, folder = tmp_path / "data", tmp_path / "more"
    assert write_unlabelled(asked, tmp_path, data, dataset, folder)[1:] == (3, 0)
    found = read_unlabelled(folder, dataset)
    assert list(found["carrier"]) == ["new", "c2", "c3"]
