"""The floor of tables is fitted to whatever classes the training rows have."""

import numpy as np
import pytest

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.evaluation.boosting import fit_boosting

MOST_ROUNDS = 100


def rows_of(counts: list[int]) -> tuple[Rows, DatasetRef]:
    """So many rows of each class, and noise to tell them by."""
    labels = np.repeat(np.arange(len(counts)), counts)
    x = np.random.default_rng(0).normal(size=len(labels))
    dataset = DatasetRef(
        name="noise", uri="", sha256="", source_sha256="", kind="table", inputs=("x",),
        types={"x": "number"}, target="y", classes=tuple(f"c{i}" for i in range(len(counts))),
        rows={},
    )  # fmt: skip
    return Rows({"x": x.tolist()}, labels, np.arange(len(labels))), dataset


@pytest.mark.parametrize(
    ("counts", "stops_early"),
    [([150, 149, 1], False), ([5] * 12, False), ([150, 148, 2], True), ([10] * 5, True)],
    ids=["a class of one row", "many classes on few rows", "a class of two", "just enough"],
)
def test_it_stops_early_where_each_class_can_be_held_out(
    counts: list[int], stops_early: bool
) -> None:
    fitted = fit_boosting(*rows_of(counts))
    rounds = fitted.config["trees"] / len(counts)
    assert (rounds < MOST_ROUNDS) == stops_early
    assert fitted.config["num_classes"] == len(counts)
