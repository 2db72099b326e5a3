"""Data that grows: folders of partitions, windows by date, and what is read of them."""

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.data.config import DataConfig
from tasks.data.partitions import partitions_of
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.source_table import source_digest, source_table

FIRST = datetime(2026, 11, 1, tzinfo=UTC)


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).date().isoformat()


def rows_of(number: int, rows: int = 40) -> dict[str, list[Any]]:
    marks = [number * rows + index for index in range(rows)]
    return {
        "age": [mark % 37 for mark in marks],
        "city": [("Rome", "Oslo", "Bonn")[mark * 7 % 3] for mark in marks],
        "mark": marks,
        "at": [f"{day(number)}T{mark % (24 - number):02}:00:00" for mark in marks],
        "y": [mark * 5 % 2 for mark in marks],
    }


def hive(folder: Path, *days: int) -> Path:
    for number in days:
        inside = folder / f"day={day(number)}"
        inside.mkdir(parents=True)
        pq.write_table(pa.table(rows_of(number)), inside / "part.parquet")
    return folder


def files(folder: Path, *days: int) -> Path:
    folder.mkdir()
    for number in days:
        lines = [",".join(map(str, row)) for row in zip(*rows_of(number).values(), strict=True)]
        text = "age,city,mark,at,y\n" + "\n".join(lines) + "\n"
        (folder / f"sales-{day(number).replace('-', '')}.csv").write_text(text)
    return folder


def config(**fields: Any) -> DataConfig:
    given = {"source": "rows", "kind": "table", "target": "y", "inputs": ["age", "city"]}
    return DataConfig.model_validate(given | fields)


def marks(folder: Path, **fields: Any) -> list[int]:
    table = source_table(config(**fields), folder)
    return sorted(int(mark) for mark in table.columns["mark"])


def test_all_partitions_are_read_and_the_folder_is_a_column(tmp_path: Path) -> None:
    hive(tmp_path / "rows", 0, 1, 2)
    assert marks(tmp_path) == list(range(120))
    table = source_table(config(), tmp_path)
    assert table.columns["day"][-1] == day(2)
    assert table.where(41) == f"day={day(1)}/part.parquet, row 2"
    found: Prepared = prepare_rows(config(inputs=[]), tmp_path)
    assert found.table.facts["partitions"] == 3
    assert "day" in found.config.inputs


@pytest.mark.parametrize("make", [hive, files])
def test_a_window_counts_back_from_the_newest_partition(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "rows", 0, 1, 2, 5, 6)
    assert marks(tmp_path, window="2d") == list(range(200, 280))
    assert marks(tmp_path, window="5d") == [*range(80, 120), *range(200, 280)]
    assert len(marks(tmp_path, window="1w")) == 200
    found = prepare_rows(config(window="5d", inputs=[]), tmp_path)
    assert "day" not in found.config.inputs  # it only says when


def test_a_window_by_a_column_counts_back_from_the_newest_row(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    for number in (0, 1, 2):
        pq.write_table(pa.table(rows_of(number)), tmp_path / "plain" / f"{number}.parquet")
    given = {"source": "plain", "window": "1d", "time": "at"}
    table = source_table(config(**given), tmp_path)
    newest = max(rows_of(2)["at"])
    start = datetime.fromisoformat(newest) - timedelta(days=1)
    assert min(datetime.fromisoformat(at) for at in table.columns["at"]) > start
    expected = [at for n in (0, 1, 2) for at in rows_of(n)["at"]]
    assert len(table) == sum(datetime.fromisoformat(at) > start for at in expected)
    first = int(table.columns["mark"][0])
    assert table.where(0) == f"{first // 40}.parquet, row {first % 40 + 1}"


def test_by_times_the_day_on_which_a_window_opens_is_cut_in_two(tmp_path: Path) -> None:
    hive(tmp_path / "rows", 0, 1, 2)
    found = source_table(config(window="1d", time="at"), tmp_path)
    assert {at[:10] for at in found.columns["at"]} == {day(1), day(2)}
    assert found.facts["partitions"] == 2


def test_one_file_may_have_a_window(tmp_path: Path) -> None:
    files(tmp_path / "rows", 0, 3)
    path = tmp_path / "rows" / f"sales-{day(0).replace('-', '')}.csv"
    assert len(marks(tmp_path, source=str(path), window="12w", time="at")) == 40


def test_the_digest_is_that_of_the_files_inside_the_window(tmp_path: Path) -> None:
    folder = hive(tmp_path / "rows", 3, 4, 5)
    whole, newest = config(), config(window="2d")
    before = (source_digest(whole, tmp_path), source_digest(newest, tmp_path))
    assert before == (source_digest(whole, tmp_path), source_digest(newest, tmp_path))
    hive(folder, 1)  # older than the window
    assert source_digest(newest, tmp_path) == before[1]
    assert source_digest(whole, tmp_path) != before[0]
    hive(folder, 6)  # something new
    assert source_digest(newest, tmp_path) != before[1]


def test_texts_may_be_partitions_too(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    for number in range(3):
        lines = [f"what a day number {number} {index},{index % 2}" for index in range(60)]
        (tmp_path / "rows" / f"{day(number)}.csv").write_text("text,y\n" + "\n".join(lines) + "\n")
    given = {"source": "rows", "target": "y", "window": "2d", "split": {"group_by": None}}
    found = prepare_rows(DataConfig.model_validate(given), tmp_path)
    assert len(found.table) == 120


def test_ratings_may_be_partitions_too(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    for number in range(3):
        lines = [f"u{i % 4},i{i % 7},{i * 3 % 5},{day(number)}T{i % 24:02}:00" for i in range(60)]
        text = "who,what,y,at\n" + "\n".join(lines) + "\n"
        (tmp_path / "rows" / f"{day(number)}.csv").write_text(text)
    pair = {"user": "who", "item": "what"}
    given = {"source": "rows", "kind": "interactions", "interactions": pair, "target": "y"}
    for fields, rows in (({}, 180), ({"window": "2d"}, 120), ({"window": "1d", "time": "at"}, 60)):
        asked = {**given, "task": "regression", "split": {"time": "at"}, **fields}
        assert len(prepare_rows(DataConfig.model_validate(asked), tmp_path).table) == rows


def steps_of(number: int) -> str:
    """Ten machines of one day, four steps each; the last runs on until the next day."""
    today = day(number)
    lines = [
        f"{number}-{machine},{today}T{step:02}:00,{40 * number + step * machine},{machine % 2}"
        for machine in range(10)
        for step in range(4)
    ]
    before = f"{number - 1}-9,{day(number)}T00:30,5,1\n" if number else ""
    return "id,at,heat,y\n" + before + "\n".join(lines) + "\n"


def test_the_steps_of_series_may_be_partitions_too(tmp_path: Path) -> None:
    for number in range(4):
        year, month, date = day(number).split("-")
        inside = tmp_path / "rows" / f"year={year}" / f"month={month}" / f"day={date}"
        inside.mkdir(parents=True)
        (inside / "part.csv").write_text(steps_of(number))
    layout = {"id": "id", "time": "at"}
    given = {"source": "rows", "kind": "series", "series": layout, "target": "y"}
    table = source_table(DataConfig.model_validate(given), tmp_path)
    assert (len(table), table.facts["partitions"], table.facts["steps"]) == (40, 4, 163)
    long = table.columns["id"].index("1-9")
    assert len(table.columns["heat"][long]) == 5
    assert table.columns["at"][long] == f"{day(2)}T00:30"
    assert table.where(long) == f"year=2026/month=11/day=02/part.csv:{2 + 1 + 36}"
    assert "day" not in table.columns, "it changes within a series, and is no channel"
    newest = DataConfig.model_validate({**given, "window": "1d"})
    found = source_table(newest, tmp_path).columns
    assert sorted(found["id"]) == sorted([f"3-{n}" for n in range(10)] + ["2-9"])
    assert len(found["heat"][found["id"].index("2-9")]) == 5, "it keeps its beginning"


def test_the_newest_series_may_be_the_holdout(tmp_path: Path) -> None:
    text = "".join(steps_of(n).partition("\n")[2] for n in range(12))
    (tmp_path / "rows.csv").write_text("id,at,heat,y\n" + text)
    layout = {"id": "id", "time": "at"}
    given = {"source": "rows.csv", "kind": "series", "series": layout, "target": "y"}
    found = prepare_rows(DataConfig.model_validate({**given, "split": {"time": "at"}}), tmp_path)
    newest = [found.table.columns["at"][row] for row in found.rows.row_ids[found.sides == 2]]
    others = [found.table.columns["at"][row] for row in found.rows.row_ids[found.sides != 2]]
    assert min(newest) > max(others)


def test_a_split_may_have_a_folder_of_its_own(tmp_path: Path) -> None:
    hive(tmp_path / "rows", 0, 1, 2, 3)
    hive(tmp_path / "later", 4)
    found = prepare_rows(config(window="2d", split={"test": "later"}), tmp_path)
    assert len(found.table) == 120
    assert int((found.sides == 2).sum()) == 40


def test_hidden_and_other_files_are_passed_over(tmp_path: Path) -> None:
    folder = files(tmp_path / "rows", 1)
    for name in ("_SUCCESS", ".part.csv", "notes.txt", "_temporary.csv"):
        (folder / name).write_text("x\n")
    assert [each.title for each in partitions_of(folder)] == ["sales-20261102.csv"]


def test_an_archive_goes_by_the_name_in_it(tmp_path: Path) -> None:
    folder = files(tmp_path / "rows", 0, 1, 2)
    (folder / "notes.txt.zip").write_bytes(b"passed over, as notes are")
    for name in ("sales-20261101", "sales-20261103"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.write(folder / f"{name}.csv", "sales.csv")
        (folder / f"{name}.csv").unlink()
    assert marks(tmp_path) == list(range(120))
    assert marks(tmp_path, window="1d") == list(range(80, 120))


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("a.csv", "b.csv"), "sales.zip holds 2 files, one was expected"),
        (("a.xlsx",), "sales.xlsx: files of rows end in one of"),
    ],
    ids=["two files", "no rows"],
)
def test_an_archive_of_anything_else_is_refused(
    tmp_path: Path, names: tuple[str, ...], sentence: str
) -> None:
    folder = files(tmp_path / "rows", 0)
    with zipfile.ZipFile(folder / "sales.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    with pytest.raises(ValueError, match=sentence):
        marks(tmp_path)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("year=2026/month=3/day=9/a.csv", "2026-03-09"),
        ("day=2026-03-09/a.csv", "2026-03-09"),
        ("2026-03-09T12.csv.gz", "2026-03-09"),
        ("2026-03-09.zip", "2026-03-09"),
        ("2025-01-01/sales_20260309.jsonl", "2026-03-09"),
        ("sales-20261399.csv", "None"),
        ("run-120260309.csv", "None"),
        ("a.csv", "None"),
    ],
)
def test_the_date_of_a_partition_stands_in_its_path(tmp_path: Path, name: str, found: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x\n")
    assert str(partitions_of(tmp_path)[0].day) == found


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"window": "90"}, "'90' must be days or weeks from 1, such as 90d or 12w"),
        ({"window": "0d"}, "'0d' must be days or weeks"),
        ({"window": "3m"}, "'3m' must be days or weeks"),
        ({"time": "at"}, "time 'at' is what a window goes by, and there is none"),
        ({"window": "9d", "kind": "image"}, "window is for kinds text, table, series"),
        (
            {"window": "9d", "kind": "text", "task": "generation", "target": ""},
            "window is for rows that have dates, task generation has none",
        ),
        ({"window": "9d", "time": "att"}, r"data\.time 'att' is not a column of rows, did you"),
        ({"window": "9d", "time": "city"}, "'Rome' where data.window needs an ISO 8601 date"),
        ({"window": "9d", "source": "one.csv"}, r"data\.window 9d: one\.csv is one file, and"),
        ({"window": "9d", "source": "undated"}, "undated: a.csv has no date in its path"),
        (
            {"source": "empty"},
            "empty is a directory that holds no file of rows",
        ),
        ({"source": "lacking"}, "b.csv has no column z, a.csv has: all partitions must"),
        ({"source": "more"}, "a.csv has no column z, b.csv has: all partitions must"),
        ({"source": "mixed"}, "'x' is text in b.parquet and a number in a.parquet: all"),
        ({"source": "twice"}, "x=1/a.csv: the folder names a column 'x' that the file has too"),
        ({"source": "torn"}, "b.csv:2: 1 columns where the header has 2"),
    ],
    ids=str,
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, fields: dict[str, Any], sentence: str
) -> None:
    hive(tmp_path / "rows", 0, 1)
    written = {
        "one.csv": "x,y\n1,2\n", "undated/a.csv": "x,y\n1,2\n", "empty/notes.txt": "x",
        "lacking/a.csv": "x,z\n1,2\n", "lacking/b.csv": "x\n1\n", "more/a.csv": "x\n1\n",
        "more/b.csv": "x,z\n1,2\n", "twice/x=1/a.csv": "x,y\n1,2\n", "torn/a.csv": "x,y\n1,2\n",
        "torn/b.csv": "x,y\n1\n", "mixed/notes.md": "",
    }  # fmt: skip
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    pq.write_table(pa.table({"x": [1], "y": [1]}), tmp_path / "mixed" / "a.parquet")
    pq.write_table(pa.table({"x": ["a"], "y": [1]}), tmp_path / "mixed" / "b.parquet")
    with pytest.raises(ValueError, match=sentence):
        source_table(config(**fields), tmp_path)
