"""Which column is the target: names first, then words before numbers, few classes, late columns."""

import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tasks.data.guessing import guess_data


def free_text(row: int) -> str:
    letters = hashlib.sha256(str(row).encode()).hexdigest()
    return " ".join(letters[start : start + 6] for start in range(0, 48, 6))


def write(path: Path, columns: dict[str, Sequence[object]], count: int = 60) -> Path:
    names = ["body", *columns]
    lines = [",".join(names)]
    for row in range(count):
        values = (str(values[row % len(values)]) for values in columns.values())
        lines.append(",".join([free_text(row), *values]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        pytest.param({"a": "xy", "label": [1, 2, 3]}, "label", id="usual name"),
        pytest.param({"topic": "pq", "Target": "xyz"}, "Target", id="surest name"),
        pytest.param({"a": [0, 1], "b": "xyz"}, "b", id="words before numbers"),
        pytest.param({"a": "wxyz", "b": "xy"}, "b", id="fewer classes"),
        pytest.param({"a": "xy", "b": "pq"}, "b", id="later column"),
        pytest.param({"label": ["x", "", "", ""], "b": "pq"}, "b", id="not one that is missing"),
    ],
)
def test_the_likeliest_target(
    tmp_path: Path, columns: dict[str, Sequence[object]], target: str
) -> None:
    assert guess_data(write(tmp_path / "rows.csv", columns))["target"].value == target


def test_a_column_of_people_is_pointed_out(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", {"user_id": range(20), "label": "xy"})
    guess = guess_data(path)["group_by"]
    assert guess.value == "near_duplicate"
    assert guess.why.endswith("; rows of one user_id may belong together instead")


def test_the_encoding_is_that_of_what_is_packed(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", {"label": ["caf\u00e9", "bar"]})
    packed = tmp_path / "rows.csv.gz"
    packed.write_bytes(gzip.compress(path.read_text().encode("cp1252")))
    assert guess_data(packed)["encoding"].value == "cp1252"


def test_few_rows_get_a_larger_holdout(tmp_path: Path) -> None:
    small = guess_data(write(tmp_path / "small.csv", {"label": "xy"}, 100))["split"].value
    large = guess_data(write(tmp_path / "large.csv", {"label": "xy"}, 2500))["split"].value
    assert (small.test, large.test) == (0.25, 0.2)
