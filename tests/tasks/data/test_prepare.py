"""From a file to a dataset folder: what is dropped and counted, refused, and always the same."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.csv import write_csv

from tasks.data.config import DataConfig
from tasks.data.dataset import split_sizes, write_dataset
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.report import data_report
from tasks.data.snapshot import read_split
from tasks.data.split_config import SplitConfig
from tasks.packaging.manifest import verify_manifest

WORDS = [f"{a}{b}" for a in ("bra", "klo", "min", "tes", "vu", "rax") for b in ("do", "li", "ne")]


def text(number: int) -> str:
    return " ".join(random.Random(int(number)).choices(WORDS, k=8)) + f" {number}"  # noqa: S311


def rows(count: int = 120) -> list[dict[str, Any]]:
    return [{"text": text(i), "label": "ab"[i % 2], "user": f"u{i // 2}"} for i in range(count)]


Prepare = Callable[..., Prepared]


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    def prepared(records: list[dict[str, Any]], **fields: Any) -> Prepared:
        lines = (json.dumps(record) for record in records)
        (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n")
        config = {"source": "rows.jsonl", "target": "label", **fields}
        return prepare_rows(DataConfig.model_validate(config), tmp_path)

    return prepared


def by_text(prepared: Prepared) -> dict[str, int]:
    return dict(zip(prepared.rows.columns["text"], prepared.sides.tolist(), strict=True))


def test_the_column_of_free_text_is_found(prepare: Prepare) -> None:
    prepared = prepare(rows())
    assert prepared.config.inputs == ("text",)
    assert prepared.classes == ("a", "b")
    assert sum(split_sizes(prepared).values()) == 120


def test_several_columns_are_one_text_and_may_miss_cells(prepare: Prepare) -> None:
    records = [{**row, "title": f"title of {i}"} for i, row in enumerate(rows())]
    records[0]["title"], records[1]["text"] = None, None
    records += [
        {"title": " ", "text": None, "label": "a"},
        {"title": records[2]["text"], "text": records[2]["title"], "label": "b"},
        dict(records[3]),
    ]
    prepared = prepare(records, inputs=["title", "text"])
    dropped = prepared.rows.dropped
    assert (dropped["empty text"], dropped["exact duplicate"], dropped["conflicting labels"]) == (
        (1, 1, 0)
    )
    assert prepared.rows.columns["title"][0] == prepared.rows.columns["text"][1] == ""
    words = data_report(prepared)["text"]["train"]["words"]
    assert words[2] == 12  # three of the title, nine of the text


def test_what_is_dropped_is_counted_by_reason(prepare: Prepare) -> None:
    records = rows()
    records += [
        {"text": "never labelled", "label": None},
        {"text": "   ", "label": "a"},
        {"text": None, "label": "b"},
        dict(records[0]),
        dict(records[1]),
        {"text": text(2), "label": "b"},  # row 2 says "a"
    ]
    prepared = prepare(records)
    assert prepared.rows.dropped == {
        "missing target": 1,
        "empty text": 2,
        "exact duplicate": 2,
        "conflicting labels": 2,
    }
    assert len(prepared.rows) == 119
    report = data_report(prepared)
    assert report["rows"] == {"read": 126, "kept": 119, "dropped": prepared.rows.dropped}
    assert report["duplicates"]["rows_that_repeat_another"] == 3
    assert report["duplicates"]["inputs_with_several_labels"] == 1


def test_near_copies_stay_on_one_side(prepare: Prepare) -> None:
    records = rows() + [{"text": f"RT @me: {text(i)}!", "label": "ab"[i % 2]} for i in range(120)]
    prepared = prepare(records)
    sides = by_text(prepared)
    assert all(sides[text(i)] == sides[f"RT @me: {text(i)}!"] for i in range(120))
    report = data_report(prepared)
    assert report["groups"]["rows_beyond_the_first"] == 120
    assert report["leakage"] == {"groups_in_two_splits": 0, "inputs_in_two_splits": 0}
    assert set(prepared.groups.tolist()) == set(range(120))


def test_rows_of_one_group_column_stay_on_one_side(prepare: Prepare) -> None:
    records = rows()
    prepared = prepare(records, split=SplitConfig(group_by="user"))
    sides = by_text(prepared)
    assert all(sides[text(i)] == sides[text(i + 1)] for i in range(0, 120, 2))
    assert data_report(prepared)["groups"]["count"] == 60


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("ownerless", [0, 6])
def test_rows_of_a_table_are_grouped_by_a_column_that_is_no_input(
    tmp_path: Path, suffix: str, ownerless: int
) -> None:
    random = np.random.default_rng(0)
    users = [f"u{i // 3}" if i >= ownerless else None for i in range(240)]
    columns = {"age": random.integers(0, 90, 240), "y": random.choice(["p", "n"], 240)}
    table = pa.table({"user": users, **columns})
    write_csv(table, tmp_path / "rows.csv")
    pq.write_table(table, tmp_path / "rows.parquet")
    config = {"source": f"rows{suffix}", "kind": "table", "target": "y"}
    found = prepare_rows(
        DataConfig.model_validate({**config, "split": {"group_by": "user"}}), tmp_path
    )
    assert found.config.inputs == ("age",)
    assert all(len(set(found.sides[i : i + 3])) == 1 for i in range(6, 240, 3))
    assert data_report(found)["groups"]["count"] == 78 + (ownerless or 2)


def test_rows_without_a_group_stand_alone(prepare: Prepare) -> None:
    records = [{**row, "user": None} for row in rows()]
    records[0]["user"] = "only"
    prepared = prepare(records, split=SplitConfig(group_by="user"))
    assert data_report(prepared)["groups"]["count"] == 120


def test_sides_do_not_depend_on_the_order_of_the_file(prepare: Prepare) -> None:
    records = rows()
    before = by_text(prepare(records))
    random.Random(1).shuffle(records)  # noqa: S311
    assert by_text(prepare(records)) == before


def test_a_sample_keeps_class_shares_and_does_not_depend_on_the_order(prepare: Prepare) -> None:
    records = [{**row, "label": "rare" if i < 12 else "usual"} for i, row in enumerate(rows(600))]
    first = prepare(records, max_rows=100)
    random.Random(1).shuffle(records)  # noqa: S311
    assert by_text(prepare(records, max_rows=100)) == by_text(first)
    assert len(first.rows) == 100
    assert first.rows.labels.count("rare") == 10
    assert first.rows.dropped["not sampled"] == 500


@pytest.mark.parametrize(
    ("change", "fields", "sentence"),
    [
        pytest.param(
            {},
            {"target": "lable"},
            "data.target 'lable' is not a column of rows.jsonl, did you mean label? "
            "columns: text, label, user",
            id="unknown target",
        ),
        pytest.param(
            {},
            {"inputs": ["txt"]},
            "data.inputs 'txt' is not a column of rows.jsonl, did you mean text? "
            "columns: text, label, user",
            id="unknown input",
        ),
        pytest.param(
            {},
            {"inputs": ["text", "label"]},
            "data.inputs 'label' is the target too, which would be leaked",
            id="target in the inputs",
        ),
        pytest.param(
            {"number": 3},
            {"inputs": ["text", "number"]},
            "rows.jsonl:1: data.inputs 'number' is 3, text was expected",
            id="an input that is no text",
        ),
        pytest.param(
            {},
            {"split": {"group_by": "author"}},
            "data.split.group_by (near_duplicate, null or a column) 'author' is not a column of "
            "rows.jsonl; columns: text, label, user",
            id="unknown group",
        ),
        pytest.param(
            {},
            {"target": "user"},
            "data.target 'user': too rare to stand in train, valid and test, which takes at least "
            "3 rows or groups of near-equal rows a class: 'u0' has 2, 'u1' has 2, 'u10' has 2, "
            "'u11' has 2, 'u12' has 2 and 55 more",
            id="a name as target",
        ),
        pytest.param(
            {"label": "same"},
            {},
            "rows.jsonl: data.target 'label' has only the class 'same', at least two are needed",
            id="one class",
        ),
        pytest.param(
            {"label": float("nan")},
            {},
            "rows.jsonl:1: data.target 'label' is missing here and in 120 of 120 rows, at most 5% "
            "may be",
            id="no labels",
        ),
        pytest.param(
            {"text": 5},
            {"inputs": ["text"]},
            "rows.jsonl:1: data.inputs 'text' is 5, text was expected",
            id="a number as text",
        ),
        pytest.param(
            {"text": " "},
            {"inputs": ["text"]},
            "rows.jsonl: no row of 120 can be used (empty text 120)",
            id="empty texts",
        ),
        pytest.param(
            {"text": "one"},
            {},
            "data.inputs: rows.jsonl has no column of free text beside the target 'label' "
            "(columns: text, label, user)",
            id="no free text",
        ),
        pytest.param(
            {"group": "a long text that is free"},
            {"inputs": ["group"]},
            "'group' cannot be an input, the target or a slice: the name is reserved",
            id="reserved",
        ),
    ],
)
def test_bad_data_is_one_sentence(
    prepare: Prepare, change: dict[str, Any], fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        prepare([{**row, **change} for row in rows()], **fields)
    assert str(raised.value) == sentence


def test_a_dataset_folder_holds_what_was_prepared(prepare: Prepare, tmp_path: Path) -> None:
    prepared = prepare(rows())
    folder = tmp_path / "dataset"
    folder.mkdir()
    digest = write_dataset(prepared, folder)
    verify_manifest(folder)
    assert json.loads((folder / "manifest.json").read_text())["digest"] == digest
    report = json.loads((folder / "report.json").read_text())
    seen: set[int] = set()
    for split, count in split_sizes(prepared).items():
        read = read_split(folder, split, ["text"], "label", prepared.classes)
        assert len(read) == count == report["splits"][split]["rows"]
        assert all(read.columns["text"][i] == text(row) for i, row in enumerate(read.row_ids))
        seen |= set(read.row_ids.tolist())
    assert seen == set(range(120))


def test_the_same_data_gives_the_same_folder(prepare: Prepare, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        write_dataset(prepare(rows()), folder)
    first, second = ({p.name: p.read_bytes() for p in f.iterdir()} for f in folders)
    assert first == second


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"label": "c"}, {}),
        ({"text": "another text"}, {}),
        ({}, {"split": SplitConfig(seed=8)}),
    ],
    ids=["label", "text", "split"],
)
def test_the_digest_follows_rows_and_split(
    prepare: Prepare, tmp_path: Path, change: dict[str, Any], fields: dict[str, Any]
) -> None:
    records = rows() + [{"text": text(200 + i), "label": "c"} for i in range(6)]
    other = [{**records[0], **change}, *records[1:]]
    digests = []
    for name, source, options in (("one", records, {}), ("two", other, fields)):
        folder = tmp_path / name
        folder.mkdir()
        digests.append(write_dataset(prepare(source, **options), folder))
    assert digests[0] != digests[1]
