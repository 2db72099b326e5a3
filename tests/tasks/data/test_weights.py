"""Weights of rows and classes: read, refused, kept with the rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from tasks.data.config import DataConfig
from tasks.data.dataset import reference_of, write_dataset
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.snapshot import split_rows
from tasks.data.weights import class_weights_of

LABELS = ["rare" if index % 8 == 0 else "common" for index in range(400)]


def prepared(folder: Path, weights: list[Any], **fields: Any) -> Prepared:
    lines = [f"{index % 13},{index},{label},{w}" for index, (label, w) in enumerate(
        zip(LABELS, weights, strict=False))]  # fmt: skip
    (folder / "rows.csv").write_text("a,b,y,w\n" + "\n".join(lines) + "\n")
    given = {"source": "rows.csv", "kind": "table", "target": "y", **fields}
    return prepare_rows(DataConfig.model_validate(given), folder)


def test_weights_stand_beside_the_rows_and_are_no_input(tmp_path: Path) -> None:
    weights = [1 + index % 3 for index in range(400)]
    found = prepared(tmp_path, weights, weight="w", class_weights={"rare": 10})
    assert found.config.inputs == ("a", "b")
    folder = tmp_path / "kept"
    folder.mkdir()
    write_dataset(found, folder)
    rows = split_rows(folder, reference_of(found, "rows", ""), "train")
    assert rows.weights is not None
    expected = [weights[i] * (10 if LABELS[i] == "rare" else 1) for i in rows.row_ids]
    assert rows.weights.tolist() == expected
    assert rows.take(np.array([2, 0])).weights.tolist() == [expected[2], expected[0]]  # type: ignore[union-attr]


def test_without_weights_nothing_is_kept(tmp_path: Path) -> None:
    found = prepared(tmp_path, [1] * 400, inputs=("a", "b"))
    folder = tmp_path / "kept"
    folder.mkdir()
    write_dataset(found, folder)
    assert split_rows(folder, reference_of(found, "rows", ""), "train").weights is None


def test_balanced_is_that_of_scikit_learn(tmp_path: Path) -> None:
    found = prepared(tmp_path, [1] * 400, class_weights="balanced")
    training = [found.rows.labels[row] for row in np.flatnonzero(found.sides == 0)]
    names = np.array(["common", "rare"])
    expected = compute_class_weight("balanced", classes=names, y=training)
    assert list(found.class_weights.values()) == pytest.approx(expected.tolist())
    assert found.class_weights["rare"] > 3


def test_rows_of_weight_0_go(tmp_path: Path) -> None:
    found = prepared(tmp_path, [(index + 1) % 3 for index in range(400)], weight="w")
    assert found.rows.dropped["weight 0"] == 133
    assert len(found.rows) == 267


@pytest.mark.parametrize("cell", ["-1", "", "heavy", "nan", "inf"])
def test_a_bad_weight_is_one_sentence(tmp_path: Path, cell: str) -> None:
    weights = [*[1] * 5, cell, *[1] * 394]
    sentence = rf"rows\.csv:7: data\.weight 'w' is '{cell}', a finite number from 0 was expected"
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, weights, weight="w")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"weight": "ww"}, r"data\.weight 'ww' is not a column of rows\.csv, did you mean w"),
        ({"weight": "y"}, r"data\.weight 'y' stands in data\.target too"),
        ({"weight": "a", "inputs": ("a", "b")}, r"data\.weight 'a' stands in data\.inputs too"),
        ({"class_weights": {"never": 2}}, "'never' is no class, allowed: common, rare"),
        ({"class_weights": {"rare": 0}}, "greater than 0"),
        ({"class_weights": "balanced", "task": "regression"}, "task regression has none"),
        (
            {"weight": "w", "kind": "interactions", "interactions": {"user": "a", "item": "b"}},
            "weight 'w': of kind interactions every event counts once",
        ),
        (
            {"weight": "w", "kind": "text", "task": "generation", "target": ""},
            "weight 'w': of task generation every text counts once",
        ),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        prepared(tmp_path, [1] * 400, **fields)


def test_classes_that_nobody_names_count_once() -> None:
    assert class_weights_of({"b": 3.0}, [], ("a", "b")) == {"a": 1.0, "b": 3.0}
