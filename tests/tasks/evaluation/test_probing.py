"""Probes of a candidate, with answers that are worked out by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tasks.data.snapshot import Rows
from tasks.evaluation.intervals import estimated
from tasks.evaluation.probing import (
    explained,
    importance_of,
    robustness_of,
    slices_of,
    worst_rows,
)

Columns = Mapping[str, Sequence[Any]]


def rows_of(count: int) -> Rows:
    """Rows whose class is whether `told` is above zero; `noise` says nothing."""
    random = np.random.default_rng(1)
    told, noise = random.normal(size=(2, count))
    labels = (told > 0).astype(np.int64)
    return Rows({"told": told.tolist(), "noise": noise.tolist()}, labels, np.arange(count))


def told_apart(columns: Columns) -> np.ndarray:
    """Answers by `told` alone; a missing value is nothing."""
    score = np.array([0.0 if value is None else value for value in columns["told"]])
    second = 1 / (1 + np.exp(-4 * score))
    return np.stack([1 - second, second], axis=1).astype(np.float32)


def test_only_the_column_that_tells_is_important() -> None:
    first, last = importance_of(told_apart, rows_of(300), "accuracy", seed=7)
    assert (first.column, last.column) == ("told", "noise")
    assert first.lost == pytest.approx(0.5, abs=0.1)
    assert (last.lost, last.deviation) == (0, 0)


def test_damage_shows_in_the_metric_and_in_the_answers() -> None:
    rows = rows_of(200)
    damaged = {"told missing": {**rows.columns, "told": [None] * 200}, "none": rows.columns}
    usual, gone, same = robustness_of(told_apart, rows, damaged, "accuracy")
    assert usual.estimate is not None
    assert gone.estimate is not None
    assert (usual.name, usual.estimate.value, usual.changed) == ("as they are", 1, 0)
    assert gone.estimate.value == pytest.approx((rows.labels == 0).mean())
    assert gone.changed == pytest.approx(rows.labels.mean())
    assert (same.estimate, same.changed) == (usual.estimate, 0)


def test_each_slice_is_judged_by_its_own_rows() -> None:
    labels = np.array([0, 1] * 60)
    answers = np.eye(2, dtype=np.float32)[labels]
    answers[100:] = answers[100:, ::-1]
    names = ["early"] * 100 + ["late"] * 20
    early, late = slices_of({"when": names}, labels, {"b": answers}, "accuracy", least=20)
    assert early.estimates["b"] is not None
    assert late.estimates["b"] is not None
    assert (early.rows, early.estimates["b"].value) == (100, 1)
    assert (late.rows, late.estimates["b"].value) == (20, 0)
    few = slices_of({"when": names}, labels, {"b": answers}, "accuracy", least=21)[1]
    assert few.estimates == {"b": None}


def test_macro_f1_of_a_slice_is_that_of_the_classes_in_it() -> None:
    labels = np.array([0, 1] * 40)
    answers = np.eye(3, dtype=np.float32)[np.where(np.arange(80) % 9, labels, 2)]
    found = estimated("macro_f1", answers, labels)
    assert found is not None
    expected = f1_score(labels, answers.argmax(1), labels=[0, 1], average="macro")
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("labels", [[], [0, 0, 0], [0, 0, 1]], ids=str)
def test_an_area_needs_two_rows_of_each_class(labels: list[int]) -> None:
    answers = np.full((len(labels), 2), 0.5, np.float32)
    assert estimated("roc_auc", answers, np.array(labels, dtype=np.int64)) is None


def test_the_surest_mistakes_come_first() -> None:
    answers = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]], np.float32)
    found = worst_rows(answers, np.array([0, 1, 1, 0]), 2)
    assert found.tolist() == [2, 3]


def test_a_part_is_worth_what_the_answer_loses_without_it() -> None:
    rows = rows_of(5)
    answers = told_apart(rows.columns)

    def parts(row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        return [(name, {**row, name: None}) for name in row]

    for index, mistake in enumerate(explained(told_apart, rows, answers, ("no", "yes"), parts)):
        effects = dict(mistake.parts)
        assert effects["told"] == pytest.approx(answers[index].max() - 0.5)
        assert effects["noise"] == pytest.approx(0)


def test_a_row_without_parts_is_not_asked_again() -> None:
    rows = rows_of(1)
    (mistake,) = explained(told_apart, rows, told_apart(rows.columns), ("no", "yes"), lambda _: [])
    assert mistake.parts == []
