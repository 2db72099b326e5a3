"""A split that is written is read back the same, and is written the same way every time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.artifacts import DatasetRef
from tasks.data import snapshot
from tasks.data.snapshot import (
    Rows,
    class_indices,
    class_quotas,
    input_parts,
    read_split,
    sample_rows,
    write_split,
)

IDS = np.array([4, 0, 2])
COLUMNS = {"text": ["c", "a", "b\n日本"], "label": ["y", "x", "y"]}


def test_a_split_is_read_back_in_the_order_of_the_source(tmp_path: Path) -> None:
    write_split(tmp_path, "valid", COLUMNS, IDS, IDS)
    rows = read_split(tmp_path, "valid", ["text"], "label", ["x", "y"])
    assert rows.columns == {"text": ["a", "b\n日本", "c"]}
    assert rows.labels.tolist() == [0, 1, 1]
    assert rows.row_ids.tolist() == [0, 2, 4]
    assert rows.labels.dtype == rows.row_ids.dtype == np.int64


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    order = [1, 2, 0]
    shuffled = {name: [values[i] for i in order] for name, values in COLUMNS.items()}
    contents = []
    for number, (columns, ids) in enumerate(((COLUMNS, IDS), (shuffled, IDS[order]))):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_split(folder, "test", columns, ids, ids)
        contents.append((folder / "test.parquet").read_bytes())
    assert contents[0] == contents[1]


def test_labels_follow_the_order_of_the_classes() -> None:
    assert class_indices(["b", "a"], ["b", "a"], "x").tolist() == [0, 1]


def test_an_unknown_class_is_named() -> None:
    with pytest.raises(
        ValueError, match=r"^test\.parquet: label: unknown class 'z', allowed: a, b$"
    ):
        class_indices(["a", "z"], ["a", "b"], "test.parquet: label")


@pytest.mark.parametrize(
    ("sizes", "count", "least", "quotas"),
    [
        ([10, 20, 30], 12, 1, [2, 4, 6]),
        ([1, 1000, 5], 10, 1, [1, 8, 1]),
        ([1, 1000, 5], 50, 10, [1, 44, 5]),
        ([100, 0, 3], 50, 1, [49, 0, 1]),
        ([10, 10, 10], 8, 1, [3, 3, 2]),
        ([5, 5], 99, 1, [5, 5]),
    ],
    ids=["shares", "rare", "rare with a least", "absent", "remainder", "all"],
)
def test_quotas(sizes: list[int], count: int, least: int, quotas: list[int]) -> None:
    assert class_quotas(np.array(sizes), count, least).tolist() == quotas


def numbered(count: int) -> Rows:
    return Rows(
        {"text": [f"t{i}" for i in range(count)]},
        np.array([i % 4 == 0 for i in range(count)], dtype=np.int64),
        np.arange(count),
    )


def test_a_sample_keeps_shares_order_and_rows_together() -> None:
    sample = sample_rows(numbered(400), 100, seed=1)
    assert len(sample) == 100
    assert np.bincount(sample.labels).tolist() == [75, 25]
    assert (np.diff(sample.row_ids) > 0).all()
    assert sample.columns["text"] == [f"t{i}" for i in sample.row_ids]


def test_a_sample_is_decided_by_its_seed() -> None:
    rows = numbered(400)
    first, again, other = (sample_rows(rows, 50, seed).row_ids.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_a_sample_of_more_than_all_is_all() -> None:
    rows = numbered(10)
    assert sample_rows(rows, 10, seed=1) is rows


def test_rows_are_spread_from_the_first_to_the_last() -> None:
    assert numbered(9).spread(3).row_ids.tolist() == [0, 4, 8]
    assert numbered(2).spread(3).row_ids.tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["table", "text"])
def test_inputs_are_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    monkeypatch.setattr(snapshot, "PART_ROWS", 2)
    write_split(tmp_path, "valid", COLUMNS, IDS, IDS)
    dataset = DatasetRef(
        name="d", uri="", sha256="", source_sha256="", kind=kind, inputs=("text",),
        target="label", classes=("x", "y"), rows={},
    )  # fmt: skip
    parts = [list(part["text"]) for part in input_parts(tmp_path, dataset, "valid")]
    assert parts == [["a", "b\n日本"], ["c"]]
