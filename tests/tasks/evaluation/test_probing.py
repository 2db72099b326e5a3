"""Probes of a candidate, with answers that are worked out by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tasks.data.snapshot import Rows
from tasks.evaluation.intervals import estimated
from tasks.evaluation.judging import ClassJudge, NumberJudge
from tasks.evaluation.probing import (
    confused,
    explained,
    importance_of,
    robustness_of,
    slices_of,
)

Columns = Mapping[str, Sequence[Any]]
JUDGE = ClassJudge("accuracy", ("no", "yes"))


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
    first, last = importance_of(told_apart, rows_of(300), JUDGE, seed=7)
    assert (first.column, last.column) == ("told", "noise")
    assert first.lost == pytest.approx(0.5, abs=0.1)
    assert (last.lost, last.deviation) == (0, 0)


def test_damage_shows_in_the_metric_and_in_the_answers() -> None:
    rows = rows_of(200)
    damaged = {"told missing": {**rows.columns, "told": [None] * 200}, "none": rows.columns}
    usual, gone, same = robustness_of(told_apart, rows, damaged, JUDGE)
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
    early, late = slices_of({"when": names}, labels, {"b": answers}, JUDGE, least=20)
    assert early.estimates["b"] is not None
    assert late.estimates["b"] is not None
    assert (early.rows, early.estimates["b"].value) == (100, 1)
    assert (late.rows, late.estimates["b"].value) == (20, 0)
    few = slices_of({"when": names}, labels, {"b": answers}, JUDGE, least=21)[1]
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
    found = JUDGE.worst(answers, np.array([0, 1, 1, 0]), 2)
    assert found.tolist() == [2, 3]


def test_a_part_is_worth_what_the_answer_loses_without_it() -> None:
    rows = rows_of(5)
    answers = told_apart(rows.columns)

    def parts(row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        return [(name, {**row, name: None}) for name in row]

    for index, mistake in enumerate(explained(told_apart, rows, answers, JUDGE, parts)):
        effects = dict(mistake.parts)
        assert effects["told"] == pytest.approx(answers[index].max() - 0.5)
        assert effects["noise"] == pytest.approx(0)


def test_a_row_without_parts_is_not_asked_again() -> None:
    rows = rows_of(1)
    (mistake,) = explained(told_apart, rows, told_apart(rows.columns), JUDGE, lambda _: [])
    assert mistake.parts == []


def test_slices_stand_in_the_order_of_their_numbers() -> None:
    names = ["over 10", "none", "up to 2", "over 2 to 10", "over 10"]
    labels = np.zeros(5, dtype=np.int64)
    found = slices_of({"size": names}, labels, {"b": np.eye(2)[labels]}, JUDGE, least=1)
    assert [s.name for s in found] == ["up to 2", "over 2 to 10", "over 10", "none"]


def test_the_most_frequent_confusion_comes_first_with_its_surest_rows() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    sure = np.array([0.6, 0.9, 0.5, 0.7, 0.8, 0.9])
    given = np.array([1, 1, 0, 2, 1, 2])
    answers = np.full((6, 3), 0.05)
    answers[np.arange(6), given] = sure
    rows = Rows({"text": list("abcdef")}, labels, np.arange(6) * 10)
    first, second = confused(rows, answers, ("x", "y", "z"), most=9, examples=1)
    assert (first.truth, first.predicted, first.rows) == ("x", "y", 2)
    assert first.share == pytest.approx(2 / 3)
    assert first.examples == [(10, {"text": "b"})]
    assert (second.truth, second.predicted, second.share) == ("y", "z", 0.5)


def test_rare_classes_are_told_apart_when_there_are_any() -> None:
    judge = ClassJudge("accuracy", ("a", "b"))
    training = np.array([0] * 9 + [1])
    assert judge.slices(np.array([0, 1]), training) == {"true class": ["common", "rare"]}
    assert set(judge.slices(np.array([0, 1]), np.array([0, 1]))["true class"]) == {"common"}
    assert ClassJudge("roc_auc", ("a", "b")).slices(np.array([0, 1]), training) == {}


NUMBERS = NumberJudge()


def doubled(columns: Columns) -> np.ndarray:
    """Twice `told`, and a tenth of `noise` against it; what is missing counts as nothing."""
    told, noise = (np.array([v or 0.0 for v in columns[name]]) for name in ("told", "noise"))
    return np.array(2 * told - noise / 10, np.float64)[:, None]


def numbers_of(count: int) -> Rows:
    rows = rows_of(count)
    return Rows(rows.columns, 2 * np.array(rows.columns["told"]), rows.row_ids)


def test_numbers_are_judged_by_their_mean_error() -> None:
    rows = numbers_of(400)
    errors = np.abs(np.array(rows.columns["noise"])) / 10
    found = NUMBERS.estimate(doubled(rows.columns), rows.labels)
    assert found is not None
    assert found.value == pytest.approx(errors.mean())
    reach = 1.966 * errors.std(ddof=1) / 20
    assert (found.low, found.high) == pytest.approx(
        (found.value - reach, found.value + reach), 1e-3
    )
    assert NUMBERS.estimate(doubled(rows.columns)[:1], rows.labels[:1]) is None


def test_the_column_that_tells_a_number_is_important() -> None:
    first, last = importance_of(doubled, numbers_of(300), NUMBERS, seed=7)
    assert (first.column, last.column) == ("told", "noise")
    assert first.lost > 1 > abs(last.lost)


def test_damage_moves_numbers() -> None:
    rows = numbers_of(200)
    damaged = {"told missing": {**rows.columns, "told": [None] * 200}}
    usual, gone = robustness_of(doubled, rows, damaged, NUMBERS)
    assert usual.changed == 0
    assert gone.changed == pytest.approx(np.abs(rows.labels).mean())
    assert usual.estimate is not None
    assert gone.estimate is not None
    assert gone.estimate.value > 5 * usual.estimate.value


def test_the_largest_error_comes_first_and_what_made_it_speaks_for_it() -> None:
    rows = numbers_of(50)
    answers = doubled(rows.columns)
    worst = NUMBERS.worst(answers, rows.labels, 3)
    errors = np.abs(answers[:, 0] - rows.labels)
    assert errors[worst].tolist() == sorted(errors, reverse=True)[:3]

    def parts(row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        return [("noise", {**row, "noise": None})]

    for mistake in explained(doubled, rows.take(worst), answers[worst], NUMBERS, parts):
        assert mistake.how_wrong.startswith("off by ")
        assert dict(mistake.parts)["noise"] == pytest.approx(1), "without it nothing is wrong"


def test_numbers_are_divided_by_thirds_of_those_in_training() -> None:
    found = NUMBERS.slices(np.array([1.0, 5.0, 99.0]), np.arange(9.0))
    assert found == {"true number": ["up to 2", "over 2 to 5", "over 5"]}
