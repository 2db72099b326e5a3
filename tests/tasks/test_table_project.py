"""A table of every type of column, from its project file to answers for rows of each format."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from flows.project_file import load_project
from tasks.data.reading import read_table
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.scoring import score_file
from tests.in_process import exported, snapshot
from tests.row_files import rows_file

WORDS = ("a good thing indeed it is", "bad news for all of us", "so so and so on")
STRANGE: dict[str, Any] = {
    "age": float("nan"),
    "city": "never met",
    "member": None,
    "since": None,
    "at": None,
    "note": None,
    "code": 9.0,
}
Row = dict[str, Any]


def a_row(index: int) -> Row:
    city, age = ("Oslo", "Rome", "Bonn", None)[index % 4], 20 + index * 7 % 40
    return {
        "age": age if index % 11 else None,
        "city": city,
        "member": (True, False, None)[index % 3],
        "since": date(2020, 1, 1) + timedelta(days=index * 37 % 900) if index % 7 else None,
        "at": datetime(2024, 1, 1) + timedelta(hours=index * 53 % 9000),
        "note": f"{WORDS[index // 2 % 3]} {index}",
        "code": float(index // 5 % 3),
        "y": "yes" if (age > 40) ^ (city == "Rome") else "no",
    }


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """The floor of such a project, exported; some of its own rows and a strange one, unlabelled."""
    folder, rows = tmp_path_factory.mktemp("patients"), [a_row(index) for index in range(400)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    data = {
        "source": "rows.parquet",
        "kind": "table",
        "target": "y",
        "columns": {"code": "category"},
    }
    (folder / "project.yaml").write_text(yaml.safe_dump({"name": "patients", "data": data}))
    config = load_project(folder / "project.yaml").data
    dataset = snapshot(config, folder, folder / "data", "patients")
    assert set(dataset.types.values()) == {"number", "category", "boolean", "moment", "text"}
    save_baseline(folder / "data", dataset, folder / "model")
    exported(folder / "data", dataset, folder / "model", folder / "bundle")
    few = [{name: row[name] for name in STRANGE} for row in with_and_without_gaps(rows)]
    return folder / "bundle", [*few, STRANGE]


def with_and_without_gaps(rows: list[Row]) -> list[Row]:
    """Three rows of each."""
    gaps = [row for row in rows if None in row.values()]
    return [*gaps[:3], *[row for row in rows if row not in gaps][:3]]


@pytest.mark.parametrize("target", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("source", [".csv", ".jsonl", ".parquet"])
def test_rows_of_each_format_have_one_answer(
    learned: tuple[Path, list[Row]], tmp_path: Path, source: str, target: str
) -> None:
    bundle, rows = learned
    assert (
        score_file(bundle, rows_file(tmp_path / f"in{source}", rows), tmp_path / f"o{target}") == 7
    )
    found = read_table(tmp_path / f"o{target}", "utf-8").columns
    assert (
        score_file(bundle, rows_file(tmp_path / "in.parquet", rows), tmp_path / "same.jsonl") == 7
    )
    same = read_table(tmp_path / "same.jsonl", "utf-8").columns
    assert set(found) == {*STRANGE, "label", "probability_no", "probability_yes"}
    assert found["label"] == same["label"]
    assert set(found["label"]) <= {"yes", "no"}
    for name in ("probability_no", "probability_yes"):
        assert [float(value) for value in found[name]] == pytest.approx(same[name])


def test_what_the_file_lacks_is_named(learned: tuple[Path, list[Row]], tmp_path: Path) -> None:
    bundle, rows = learned
    few = [{name: value for name, value in row.items() if name != "since"} for row in rows]
    with pytest.raises(ValueError, match=r"input 'since' is not a column of in.csv"):
        score_file(bundle, rows_file(tmp_path / "in.csv", few), tmp_path / "out.csv")
