"""What a champion of an earlier night said, judged by tonight's names."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tasks.evaluation.by_name import by_name
from tasks.evaluation.quality import class_figures
from tasks.evaluation.recommended import item_figures, items_of
from tasks.promotion.config import GatePolicy
from tasks.promotion.proof import paired_difference

THEN = ("cancelled", "delivered", "returned")
TONIGHT = ("delivered", "returned", "shipped")
MORE = ("accepted", *THEN)
ROWS = 400


def answered(own: Sequence[str], truth: Sequence[str], seed: int = 0) -> np.ndarray:
    """Of a bundle that knows `own`: surest of the true class, where it knows it, mostly."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(len(truth), len(own)))
    logits += 3 * (np.array(truth)[:, None] == np.array(own)[None, :])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return shares.astype(np.float32)


def some(names: Sequence[str]) -> list[str]:
    return np.random.default_rng(1).choice(names, ROWS).tolist()


def called(found: np.ndarray, own: Sequence[str]) -> list[str]:
    return [own[index] for index in found.argmax(axis=1)]


@pytest.mark.parametrize("task", ["classification", "ranking", "regression", "generation"])
def test_the_same_names_are_left_as_they_are(task: str) -> None:
    found = answered(THEN, some(THEN))
    assert by_name(found, THEN, THEN, task) is found  # type: ignore[arg-type]


@pytest.mark.parametrize("tonight", [TONIGHT, MORE, THEN[:2]], ids=["moved", "more", "fewer"])
def test_figures_are_those_of_the_names(tonight: tuple[str, ...]) -> None:
    truth = some(tonight)
    found = answered(THEN, truth)
    labels = np.array([tonight.index(name) for name in truth])
    moved = by_name(found, THEN, tonight, "classification")
    figures, intervals, confusion = class_figures(moved, labels, tonight)
    said = called(found, THEN)
    accuracy = float(np.mean(np.array(said) == truth))
    assert figures["accuracy"] == pytest.approx(accuracy)
    macro_f1 = f1_score(truth, said, labels=list(tonight), average="macro", zero_division=0)
    assert figures["macro_f1"] == pytest.approx(macro_f1)
    for name, value in (("accuracy", accuracy), ("macro_f1", macro_f1)):
        low, high = intervals[name]
        assert low < value < high
    given = [
        found[row, THEN.index(name)] if name in THEN else np.finfo(np.float64).eps
        for row, name in enumerate(truth)
    ]
    assert figures["log_loss"] == pytest.approx(-np.log(given).mean(), rel=1e-4)
    assert figures["calibration_error"] == pytest.approx(gap(found.max(axis=1), said, truth))
    assert len(confusion) == len(tonight)
    assert sum(map(sum, confusion)) == ROWS


def gap(sure: np.ndarray, said: list[str], truth: list[str]) -> float:
    """Expected calibration error over 15 bins, bin by bin."""
    right, edges = np.array(said) == truth, np.linspace(0, 1, 16)
    inside = [(sure > low) & (sure <= high) for low, high in pairwise(edges)]
    return float(sum(abs((right[each] - sure[each]).sum()) for each in inside) / len(truth))


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_the_gate_sees_the_same_difference_as_the_names(metric: str) -> None:
    """A champion of an earlier night beside a candidate of tonight, which it beats."""
    truth = some(TONIGHT[:2])
    labels = np.array([TONIGHT.index(name) for name in truth])
    old, new = answered(THEN, truth), answered(TONIGHT, truth, seed=2)
    new[::4] = new[::4, [1, 0, 2]]
    moved = by_name(old, THEN, TONIGHT, "classification")
    policy = GatePolicy(metric=metric, resamples=200)  # type: ignore[arg-type]
    found = paired_difference(labels, new.argmax(axis=1), moved.argmax(axis=1), 3, policy)
    expected = [
        f1_score(truth, said, labels=list(TONIGHT), average="macro", zero_division=0)
        if metric == "macro_f1"
        else np.mean(np.array(said) == truth)
        for said in (called(new, TONIGHT), called(old, THEN))
    ]
    assert found.value == pytest.approx(expected[0] - expected[1])
    assert found.low < found.value < found.high < 0


def test_items_keep_their_names_when_the_catalogue_grows() -> None:
    then, tonight = ("b", "c", "d", "gone"), ("a", "b", "c", "d")
    shares = np.tile(np.array([0.6, 0.4], np.float32), (2, 1))
    found = np.concatenate([np.array([[0, 1], [3, 2]], np.float32), shares], axis=1)
    moved = by_name(found, then, tonight, "ranking")
    assert items_of(moved).tolist() == [[1, 2], [-1, 3]]
    truth = np.array([[1, 0], [3, 1]])
    figures, _, _ = item_figures(moved, truth, tonight)
    assert figures["ndcg"] == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert figures["coverage"] == 3 / 4
