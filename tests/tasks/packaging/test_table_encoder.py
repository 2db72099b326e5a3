"""The encoder of tables: standard scores, missing cells, unknown categories, bad cells."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.packaging.predictor import load_encoder
from tasks.packaging.predictor.table import category_of, moment_of, number_of, truth_of

CONFIG: dict[str, Any] = {
    "kind": "table",
    "types": {"age": "number", "member": "boolean", "since": "moment", "city": "category"},
    "numbers": [
        {"name": "age", "mean": 40.0, "deviation": 10.0, "missing": True},
        {"name": "member", "mean": 0.5, "deviation": 0.5, "missing": False},
        {"name": "since.month", "mean": 6.0, "deviation": 3.0, "missing": False},
    ],
    "categories": {"city": ["Oslo", "Rome"]},
}
ROW = {"age": 50, "member": True, "since": "2026-03-01", "city": "Rome"}


def encoded(**cells: Any) -> np.ndarray:
    columns = {name: [value] for name, value in {**ROW, **cells}.items()}
    return load_encoder(CONFIG, Path()).rows(columns)[0]


def test_a_row_becomes_scores_and_ids() -> None:
    assert encoded().tolist() == [1.0, 0.0, 1.0, -1.0, 3.0]


@pytest.mark.parametrize("missing", [None, float("nan"), "", "NA", " null "], ids=repr)
def test_a_missing_number_is_the_mean_and_says_so(missing: Any) -> None:
    assert encoded(age=missing)[:2].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("city", "id_"), [("Oslo", 2), (" Rome ", 3), ("Bonn", 1), (None, 0)])
def test_a_category_is_an_id(city: Any, id_: int) -> None:
    assert encoded(city=city)[-1] == id_


def test_no_row_is_encoded_as_none() -> None:
    assert load_encoder(CONFIG, Path()).rows({name: [] for name in ROW}).shape == (0, 5)


def test_a_batch_holds_numbers_beside_ids() -> None:
    encoder = load_encoder(CONFIG, Path())
    rows = encoder.rows({name: [value] * 3 for name, value in ROW.items()})
    for picked in (rows, list(rows)):
        batch = encoder.batch(picked)
        assert batch["numbers"].shape == (3, 4)
        assert batch["categories"].tolist() == [[3]] * 3
        assert (batch["numbers"].dtype, batch["categories"].dtype) == (np.float32, np.int64)


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"age": "old"}, "column 'age', row 0: 'old' must be a number"),
        ({"age": float("inf")}, "column 'age', row 0: inf must be a number"),
        ({"member": "maybe"}, "column 'member', row 0: 'maybe' must be true or false"),
        ({"since": "soon"}, "column 'since', row 0: 'soon' must be a date or time"),
        ({"age": [1]}, "must be a number"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_bad_cell_is_named(cells: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("[", r"\[")):
        encoded(**cells)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="column 'city' is missing; found age, member, since"):
        load_encoder(CONFIG, Path()).rows({k: [v] for k, v in ROW.items() if k != "city"})


def test_parts_of_a_moment() -> None:
    assert moment_of("1970-01-02T06:00:00") == (1.25, 1, 4, 6.0)
    assert number_of("1e3") == 1000
    assert truth_of("True") == 1
    assert [category_of(value) for value in (7.0, "7", 7)] == ["7", "7", "7"]
