"""Rows of users and items as tensors: known ids, unknown ones, columns of either side."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.packaging.predictor import Encoder, allowed, load_encoder
from tasks.packaging.predictor.forms import FORMS
from tasks.packaging.predictor.interactions import met_table

NUMBER = {"name": "age", "mean": 30.0, "deviation": 10.0, "missing": True}
CONFIG: dict[str, Any] = {
    "kind": "interactions",
    "user": {"column": "who", "known": ["1", "ann", "zoe"]},
    "item": {"column": "what", "known": ["7", "tea"]},
    "tables": {
        "user": {"numbers": [NUMBER], "categories": {}, "types": {"age": "number"}},
        "item": {"numbers": [], "categories": {"sort": ["hot"]}, "types": {"sort": "category"}},
    },
}
ROWS: dict[str, list[Any]] = {
    "who": ["ann", 1, None, "bob", 1.0],
    "what": ["tea", 7, "tea", "", " tea "],
    "age": [40, None, 30, 20, 30],
    "sort": ["hot", "cold", None, "hot", "hot"],
}


def encoder(**changed: Any) -> Encoder:
    return load_encoder({**CONFIG, **changed}, Path())


def test_ids_and_columns_of_each_side() -> None:
    found = encoder().batch(encoder().rows(ROWS))
    assert list(found) == list(encoder().names)
    assert found["user"].tolist() == [2, 1, 0, 0, 1]
    assert found["item"].tolist() == [2, 1, 2, 0, 2]
    np.testing.assert_allclose(
        found["user_numbers"], [[1, 0], [0, 1], [0, 0], [-1, 0], [0, 0]], atol=1e-6
    )
    assert found["item_categories"][:, 0].tolist() == [2, 1, 0, 2, 2]
    assert {name: str(array.dtype) for name, array in found.items()} == {
        "user": "int64",
        "item": "int64",
        "user_numbers": "float32",
        "item_categories": "int64",
    }


def test_ids_alone_need_no_other_column() -> None:
    plain = encoder(tables={})
    found = plain.batch(list(plain.rows({"who": ["zoe"], "what": ["7"], "else": [1]})))
    assert {name: array.tolist() for name, array in found.items()} == {"user": [3], "item": [1]}


def test_many_ids_stay_exact() -> None:
    many = [str(number) for number in range(100_000)]
    wide = encoder(user={"column": "who", "known": many}, tables={})
    found = wide.batch(wide.rows({"who": ["99999", 54321], "what": ["tea", "tea"]}))
    assert found["user"].tolist() == [100_000, 54_322]


def test_who_met_what_is_barred_and_nothing_else(tmp_path: Path) -> None:
    users, items = np.array([2, 1, 2, 0, 2]), np.array([4, 0, 1, 3, 4])
    np.save(tmp_path / "met.npy", met_table(users, items, 4), allow_pickle=False)
    ranking = load_encoder({**CONFIG, "tables": {}, "met": "met.npy", "top": 2}, tmp_path)
    rows = ranking.rows({"who": ["ann", 1, "zoe", "bob"], "what": ["tea"] * 4})
    found = allowed(ranking, rows, np.zeros((4, 5), np.float32))
    assert [np.flatnonzero(row < 0).tolist() for row in found] == [[1, 4], [0], [], []]


def test_the_likeliest_items_in_their_order_and_none_that_is_barred() -> None:
    form = FORMS["ranking"]({"classes": list("abcd"), "encoder": {"top": 3}})
    logits = np.log(np.array([[1, 4, 3, 2], [1, 1, 1, 1]], np.float32))
    logits[1, 1:] = -np.inf
    found = form.finished(np.concatenate([logits, np.full((1, 4), -np.inf)]))
    np.testing.assert_allclose(found[0], [1, 2, 3, 0.4, 0.3, 0.2], atol=1e-6)
    said = form.said(found)
    assert [said[f"item_{place}"] for place in (1, 2, 3)] == [
        ["b", "a", None],
        ["c", None, None],
        ["d", None, None],
    ]
    assert said["score_1"] == pytest.approx([0.4, 1.0, 0.0])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"who": None}, "column 'who' is missing; found what, age, sort"),
        ({"what": None}, "column 'what' is missing; found who, age, sort"),
        ({"age": None}, "column 'age' is missing"),
        ({"sort": None}, "column 'sort' is missing"),
        ({"who": ["a", ["b"], "c", "d", "e"]}, r"column 'who': \['b'\] must be the name of one"),
        ({"what": [{}, "b", "c", "d", "e"]}, r"column 'what': \{\} must be the name of one"),
        ({"age": [1, "old", 2, 3, 4]}, "column 'age', row 1: 'old' must be a number"),
        ({"age": [1, float("inf"), 2, 3, 4]}, "column 'age', row 1: inf must be a number"),
    ],
    ids=str,
)
def test_what_cannot_be_encoded_is_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    rows = {name: values for name, values in {**ROWS, **changed}.items() if values is not None}
    with pytest.raises(ValueError, match=sentence):
        encoder().rows(rows)
