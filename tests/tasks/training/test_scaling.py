"""Scaling of a table's numbers, by the encoder that serving uses too, against scikit-learn's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import MinMaxScaler, Normalizer, RobustScaler, StandardScaler

from tasks.artifacts import DatasetRef
from tasks.packaging.predictor import load_encoder
from tasks.training.table_models import table_encoder

NAMES = ("age", "sex", "bmi", "bp")
ROWS = load_diabetes(scaled=False).data[:, :4]
TRAIN, NEW = ROWS[:300], ROWS[300:]


def encoder_of(rows: np.ndarray, **scaling: str) -> Any:
    dataset = DatasetRef(
        name="people", uri="", sha256="", source_sha256="", kind="table", inputs=NAMES,
        types=dict.fromkeys(NAMES, "number"), scaling=scaling, target="y",
        classes=("no", "yes"), rows={},
    )  # fmt: skip
    return load_encoder(table_encoder(dataset, columns_of(rows)), Path())


def columns_of(rows: np.ndarray) -> dict[str, list[float]]:
    return dict(zip(NAMES, rows.T.tolist(), strict=True))


@pytest.mark.parametrize(
    ("scaling", "scaler"),
    [
        ("standard", StandardScaler()),
        ("min_max", MinMaxScaler()),
        ("robust", RobustScaler()),
        ("unit_norm", Normalizer()),
    ],
)
def test_rows_that_training_never_met_are_scaled_as_by_scikit_learn(
    scaling: str, scaler: Any
) -> None:
    encoder = encoder_of(TRAIN, **dict.fromkeys(NAMES, scaling))
    expected = scaler.fit(TRAIN).transform(NEW)
    assert np.allclose(encoder.rows(columns_of(NEW)), expected, atol=1e-6)


def test_each_column_has_its_own() -> None:
    found = encoder_of(TRAIN, bmi="robust", bp="min_max", age="unit_norm", sex="unit_norm").rows(
        columns_of(NEW)
    )
    assert np.allclose(found[:, 2:3], RobustScaler().fit(TRAIN[:, 2:3]).transform(NEW[:, 2:3]))
    assert np.allclose(found[:, 3:], MinMaxScaler().fit(TRAIN[:, 3:]).transform(NEW[:, 3:]))
    assert np.allclose(found[:, :2], Normalizer().transform(NEW[:, :2]))


@pytest.mark.parametrize("scaling", ["min_max", "robust", "unit_norm"])
def test_a_missing_cell_and_a_constant_column_stay_finite(scaling: str) -> None:
    rows = TRAIN.copy()
    rows[:, 1] = 3.0
    rows[::5, 2] = np.nan
    encoder = encoder_of(rows, **dict.fromkeys(NAMES, scaling))
    found = encoder.rows(columns_of(np.array([[50.0, 3.0, np.nan, 90.0]])))[0]
    assert np.isfinite(found).all()
    assert found[3] == 1  # the column that says that bmi is missing
    if scaling == "min_max":
        known = rows[~np.isnan(rows[:, 2]), 2]
        assert found[2] == pytest.approx((known.mean() - known.min()) / (known.max() - known.min()))


def test_a_row_of_zeros_has_no_length() -> None:
    encoder = encoder_of(TRAIN, **dict.fromkeys(NAMES, "unit_norm"))
    assert encoder.rows(columns_of(np.zeros((1, 4)))).tolist() == [[0.0] * 4]
