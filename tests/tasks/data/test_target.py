"""Targets of numbers: read, refused, split, and written down."""

from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.dataset import write_dataset
from tasks.data.prepare import prepare_rows
from tasks.data.scale import scale_of, scaled
from tasks.data.snapshot import read_split


def config(**changes: object) -> DataConfig:
    given = {"source": "rows.csv", "kind": "table", "target": "price", "task": "regression"}
    return DataConfig.model_validate(given | changes)


def written(folder: Path, prices: list[str]) -> Path:
    lines = [f"{index % 7},{index % 3},{price}" for index, price in enumerate(prices)]
    (folder / "rows.csv").write_text("size,rooms,price\n" + "\n".join(lines) + "\n")
    return folder


def test_numbers_are_read_split_and_kept(tmp_path: Path) -> None:
    prices = [f"{index * 1.5:.1f}" for index in range(400)]
    prepared = prepare_rows(config(), written(tmp_path, prices))
    assert prepared.classes == ()
    folder = tmp_path / "kept"
    folder.mkdir()
    write_dataset(prepared, folder)
    kept = [read_split(folder, side, ["size"], "price", ()) for side in ("train", "valid", "test")]
    assert all(len(side) > 0 for side in kept)
    found = np.sort(np.concatenate([side.labels for side in kept]))
    np.testing.assert_allclose(found, [float(price) for price in prices])


def test_training_numbers_become_standard_scores(tmp_path: Path) -> None:
    prepared = prepare_rows(config(), written(tmp_path, [str(n) for n in range(300)]))
    train = np.asarray(prepared.rows.labels)[prepared.sides == 0]
    scores = scaled(train, scale_of(prepared))
    assert scores.dtype == np.float32
    assert abs(scores.mean()) < 1e-5
    assert abs(scores.std() - 1) < 1e-5


def test_classes_are_not_scaled() -> None:
    labels = np.array([0, 1, 1])
    assert scaled(labels, None) is labels


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        pytest.param("cheap", "rows.csv:12: data.target 'price' is 'cheap', task", id="a word"),
        pytest.param("inf", "is 'inf', task regression takes finite numbers", id="infinite"),
        pytest.param("1.5 EUR", "is '1.5 EUR', task regression takes finite", id="a unit"),
    ],
)
def test_what_is_no_number_is_refused(tmp_path: Path, price: str, reason: str) -> None:
    prices = ["1.0", "2.0"] * 50
    prices[10] = price
    with pytest.raises(ValueError, match="finite numbers") as refused:
        prepare_rows(config(), written(tmp_path, prices))
    assert reason in str(refused.value)


def test_few_missing_numbers_are_dropped(tmp_path: Path) -> None:
    prices = [str(n) for n in range(200)]
    prices[3], prices[4] = "NA", ""
    prepared = prepare_rows(config(), written(tmp_path, prices))
    assert prepared.rows.dropped["missing target"] == 2


def test_a_constant_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'price' is 5 in every row, which leaves nothing"):
        prepare_rows(config(), written(tmp_path, ["5"] * 100))


def test_a_threshold_makes_classes_not_numbers() -> None:
    with pytest.raises(ValueError, match="above 3 makes two classes, task regression has none"):
        config(above=3)


def test_one_text_with_two_numbers_is_no_contradiction(tmp_path: Path) -> None:
    lines = [f"text number {index // 2} of many words,{index}" for index in range(200)]
    (tmp_path / "rows.csv").write_text("body,price\n" + "\n".join(lines) + "\n")
    prepared = prepare_rows(config(kind="text"), tmp_path)
    assert len(prepared.rows) == 200
    sides = prepared.sides.reshape(-1, 2)
    assert (sides[:, 0] == sides[:, 1]).all()


def test_a_regression_answers_one_number() -> None:
    reference = DatasetRef(
        name="n", uri="", sha256="", source_sha256="", kind="table", inputs=("a",), target="b",
        task="regression", classes=(), rows={},
    )  # fmt: skip
    assert reference.num_outputs == 1
