"""A column that Arrow keeps says what the list of its cells says."""

import math
import pickle
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.data import arrow_column
from tasks.data.arrow_column import ArrowColumn, concatenated, numeric, taken
from tasks.data.columns import codes_of
from tasks.data.config import DataConfig
from tasks.data.dataset import write_dataset
from tasks.data.labels import read_labels
from tasks.data.prepare import prepare_rows
from tasks.data.reading import read_table
from tasks.data.snapshot import write_split
from tasks.data.table import distinct
from tasks.data.tabular import TableKind, type_of
from tasks.data.target import read_numbers

CELLS: dict[str, list[Any]] = {
    "words": ["b", None, "a", "b", "c", "", "a", "b", "na"],
    "whole": [3, 1, 1, 2, 3, 1, 7, 8, 9],
    "numbers": [0.5, None, 2.0, 0.5, -1.0, 3.25, 1e300, 2.0, 0.0],
    "truths": [True, None, False, True, True, False, False, True, None],
    "lists": [[1], [2, 3], None, [], [1], [2], [3], [4], [5]],
}
both = pytest.mark.parametrize("name", CELLS)


def column(values: list[Any]) -> ArrowColumn:
    """In three pieces, each with its own dictionary."""
    type_ = pa.array(values).type
    parts = [pa.array(part, type_) for part in (values[:2], values[2:6], values[6:])]
    return ArrowColumn(pa.chunked_array(parts))


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_column, "PIECE", 4)
    monkeypatch.setattr("tasks.data.snapshot.PIECE", 4)


@both
def test_cells_are_those_of_the_list(name: str) -> None:
    values, made = CELLS[name], column(CELLS[name])
    assert list(made) == values
    assert len(made) == len(values)
    assert made == values
    assert [made[place] for place in range(len(values))] == values
    for piece in (slice(1, 7), slice(0, 0), slice(5, None), slice(1, None, 3), slice(None)):
        assert made[piece] == values[piece]


@both
def test_rows_are_taken_like_those_of_the_list(name: str) -> None:
    rows = np.array([8, 0, 3, 3, 5])
    once = taken(column(CELLS[name]), rows)
    assert list(once) == taken(CELLS[name], rows)
    assert list(taken(once, np.array([4, 1]))) == taken(taken(CELLS[name], rows), np.array([4, 1]))


@pytest.mark.parametrize("name", ["words", "whole", "numbers"])
def test_values_are_numbered_as_they_appear(name: str) -> None:
    codes, known = column(CELLS[name]).codes()
    assert [known[code] for code in codes] == CELLS[name]
    assert known == list(dict.fromkeys(CELLS[name]))
    found, count = codes_of(column(CELLS[name]))
    wanted, wanted_count = codes_of(CELLS[name])
    assert (found.tolist(), count) == (wanted.tolist(), wanted_count)


def test_words_that_are_gone_are_not_numbered() -> None:
    left = column(CELLS["words"]).take(np.array([4, 2]))
    assert left.codes()[1] == ["c", "a"]


@pytest.mark.parametrize("type_", ["number", "category"])
def test_cells_are_typed_as_in_a_list(type_: str) -> None:
    kind = TableKind()
    for name in ("whole", "numbers"):
        columns, types = {name: CELLS[name]}, {name: type_}
        found = kind.typed({name: column(CELLS[name])}, types)[name]
        assert list(found) == kind.typed(columns, types)[name]
        assert kind.figures({name: found}) == kind.figures(kind.typed(columns, types))
        gone = kind.unusable({name: found})["empty row"]
        assert gone.tolist() == [value is None for value in CELLS[name]]


def test_types_are_guessed_as_in_a_list() -> None:
    for name in ("words", "whole", "numbers", "truths"):
        assert type_of(column(CELLS[name])) == type_of(CELLS[name])
    assert type_of(column([1.0, math.inf, 2.0])) == type_of([1.0, math.inf, 2.0])


@pytest.mark.parametrize("row", [0, 5, 8])
def test_a_cell_of_another_type_is_found_in_its_row(row: int) -> None:
    words = ["1", "2", "2", "1", "3", "1", "2", "1", "1"]
    words[row] = "x"
    for values in (words, column(words)):
        with pytest.raises(ValueError, match=rf"'n': 'x' in row {row + 1} is no number"):
            TableKind().typed({"n": values}, {"n": "number"})


def test_nan_is_missing() -> None:
    found = numeric(column([1.0, math.nan, None, 2.0]))
    assert list(found) == [1.0, None, None, 2.0]


def test_columns_of_several_types_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="Unable to merge"):
        concatenated([column(CELLS["words"]), column(CELLS["whole"])])


def test_a_split_is_written_as_from_lists(tmp_path: Path) -> None:
    names = ("words", "whole", "numbers", "truths")
    ids = np.array([5, 3, 9, 1, 0, 2, 8, 7, 6])
    chosen = np.array([0, 2, 3, 5, 8])
    for folder, columns in (
        ("lists", {name: CELLS[name] for name in names}),
        ("columns", {name: column(CELLS[name]) for name in names}),
    ):
        (tmp_path / folder).mkdir()
        write_split(tmp_path / folder, "train", columns, ids, ids, chosen)
    first, second = ((tmp_path / f / "train.parquet").read_bytes() for f in ("lists", "columns"))
    assert first == second


def test_distinct_values_are_sorted() -> None:
    assert distinct(np.array([3, 1, 3, 2, 1])).tolist() == [1, 2, 3]
    assert distinct(np.array([], dtype=np.int64)).tolist() == []


NUMBERS = [None, 3.0, -2.5, 16.0, 15.0] * 20 + [15.5, 2.0] * 200


@pytest.fixture
def tables(tmp_path: Path) -> list[Any]:
    path = tmp_path / "rows.parquet"
    table = {"late": NUMBERS, "word": ["a", "b", None, "a", " b"] * 100}
    pq.write_table(pa.table(table), path)
    return [read_table(path, "utf-8", compact=compact) for compact in (False, True)]


@pytest.mark.parametrize(("target", "above"), [("late", None), ("late", 15.0), ("word", None)])
def test_labels_are_those_of_a_list(
    tables: list[Any], target: str, above: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.data.labels.MAX_MISSING", 0.5)
    plain, compact = (read_labels(table, target, above) for table in tables)
    assert isinstance(tables[1].columns[target], ArrowColumn)
    assert plain[0] == compact[0]
    assert plain[1].tolist() == compact[1].tolist()


def test_numbers_to_predict_are_those_of_a_list(tables: list[Any]) -> None:
    plain, compact = (read_numbers(table, "late") for table in tables)
    assert plain[0] == compact[0]
    assert plain[1].tolist() == compact[1].tolist()


def test_an_infinite_number_to_predict_is_found_in_its_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": [1.0] * 60 + [math.inf]}), tmp_path / "rows.parquet")
    table = read_table(tmp_path / "rows.parquet", "utf-8", compact=True)
    with pytest.raises(ValueError, match=r"row 61: data\.target 'y' is 'inf'"):
        read_numbers(table, "y")


def test_rows_of_parquet_are_split_as_those_of_a_text_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    ages, cities = random.integers(0, 90, 300), random.choice(["Oslo", "Rome", "Bern"], 300)
    labels = random.choice(["p", "n"], 300)
    lines = [f"{a},{c},{y}" for a, c, y in zip(ages, cities, labels, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["age,city,y", *lines]) + "\n")
    table = {"age": ages, "city": cities.tolist(), "y": labels.tolist()}
    pq.write_table(pa.table(table), tmp_path / "rows.parquet")
    found = [
        prepare_rows(DataConfig(source=name, kind="table", target="y"), tmp_path)
        for name in ("rows.csv", "rows.parquet")
    ]
    assert isinstance(found[1].rows.columns["age"], ArrowColumn)
    assert found[0].types == found[1].types
    assert found[0].sides.tolist() == found[1].sides.tolist()
    for name in ("age", "city"):
        assert list(found[0].rows.columns[name]) == list(found[1].rows.columns[name])


ODD: dict[str, Callable[[Any], pa.Array]] = {
    "times": lambda random: pa.array(np.datetime64("2026-01-01") + random.integers(0, 5000, 300)),
    "decimals": lambda random: pa.array([Decimal(int(i)) / 8 for i in random.integers(0, 90, 300)]),
    "halves": lambda random: pa.array(random.random(300).astype(np.float16)),
    "truths": lambda random: pa.array([None if x < 0.1 else x < 0.5 for x in random.random(300)]),
    "views": lambda random: pa.array(random.choice(["a", "b"], 300).tolist(), pa.string_view()),
    "codes": lambda random: pa.array(random.integers(0, 5, 300)).dictionary_encode(),
    "written numbers": lambda random: pa.array([str(i) for i in random.integers(0, 90, 300)]),
    "nan": lambda random: pa.array(
        np.where(random.random(300) < 0.1, np.nan, 2.0 + np.arange(300))
    ),
    "large numbers": lambda random: pa.array(2**53 + 2 * random.integers(0, 90, 300) + 1),
    "unsigned numbers": lambda random: pa.array(2**64 - 1 - random.integers(0, 9, 300, np.uint64)),
    "texts": lambda random: pa.array(
        [f"some words of row {i}, {random.random()}" for i in range(300)]
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_any_type_of_parquet_is_kept_as_its_list_would_be(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    table = {"odd": ODD[name](random), "x": random.integers(0, 500, 300)}
    table["y"] = pa.array(random.choice(["p", "n"], 300).tolist())
    pq.write_table(pa.table(table), tmp_path / "rows.parquet")
    config = DataConfig(source="rows.parquet", kind="table", target="y", inputs=("odd", "x"))
    digests, reports = [], []
    for folder in (tmp_path / "compact", tmp_path / "lists"):
        folder.mkdir()
        digests.append(write_dataset(prepare_rows(config, tmp_path), folder))
        reports.append((folder / "report.json").read_text())
        monkeypatch.setattr(
            "tasks.data.source_table.read_table",
            lambda path, encoding, columns, compact: read_table(path, encoding, columns),  # noqa: ARG005
        )
    assert digests[0] == digests[1]
    assert reports[0] == reports[1]


def test_a_csv_file_is_kept_as_its_lists_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.data.csv_file.PIECE", 7)
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" + "".join(f"{i % 3},word {i}\n\n" for i in range(20)))
    plain, compact = (read_table(path, "utf-8", compact=compact) for compact in (False, True))
    assert isinstance(compact.columns["b"], ArrowColumn)
    assert {name: list(values) for name, values in compact.columns.items()} == plain.columns
    assert compact.where(15) == plain.where(15) == "rows.csv:32"


def test_it_travels_to_workers() -> None:
    sent = pickle.loads(pickle.dumps(column(CELLS["words"])))  # noqa: S301 - as Ray does
    assert sent == CELLS["words"]
