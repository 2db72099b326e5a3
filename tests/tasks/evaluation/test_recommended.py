"""Figures of ranked items against scikit-learn's, and by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.evaluation.recommended import (
    by_user,
    events_of,
    hits_by_place,
    item_figures,
    items_of,
    truth_of,
)


def answered(items: list[list[int]], shares: list[list[float]] | None = None) -> Any:
    places = np.array(items, dtype=np.float32)
    steps = np.arange(places.shape[1], 0, -1, dtype=np.float32) / 100
    return np.concatenate([places, np.asarray(shares or [steps] * len(items))], axis=1)


def test_by_hand() -> None:
    found = answered([[4, 2, 7], [4, 2, 7], [0, 1, 2]])
    truth = np.array([[2, 0], [9, 0], [1, 1]])
    ndcg, recall = by_user(found, truth)
    assert recall.tolist() == [0.5, 1.0]
    second = 1 / np.log2(3)
    np.testing.assert_allclose(ndcg, [second / (1 + second), second])
    figures, intervals, confusion = item_figures(found, truth, [str(n) for n in range(10)])
    assert figures["hit_rate"] == 1.0
    assert figures["coverage"] == 0.5
    assert figures["recall"] == pytest.approx(0.75)
    assert set(intervals) == {"ndcg", "recall", "hit_rate"}
    assert confusion == ()


def test_an_item_that_is_barred_is_no_answer() -> None:
    found = answered([[3, 5]], [[0.4, 0.0]])
    assert items_of(found).tolist() == [[3, -1]]
    assert by_user(found, np.array([[5, 0]]))[1].tolist() == [0.0]


def test_an_item_met_twice_counts_once() -> None:
    found = answered([[3, 5], [3, 5]])
    assert by_user(found, np.array([[3, 0], [3, 0]]))[0].tolist() == [1.0]


def test_hits_stand_at_their_places() -> None:
    found = answered([[4, 2, 7], [4, 2, 7], [0, 1, 2], [8, 9, 6]])
    truth = np.array([[2, 0], [4, 0], [1, 1], [0, 2]])
    assert hits_by_place(found, truth).tolist() == [1, 2, 0]


def test_nobody_is_not_one_user() -> None:
    rows = Rows({"who": ["a", None, "a", None]}, np.array([1, 2, 3, 2]), np.arange(4))
    users = events_of(rows, "who")[:, 1]
    assert users[0] == users[2]
    assert len(set(users.tolist())) == 3


def test_other_tasks_keep_their_labels() -> None:
    rows = Rows({"who": ["a"]}, np.array([2.5]), np.arange(1))
    about: dict[str, Any] = {"kind": "interactions", "inputs": ("who",), "rows": {}, "classes": ()}
    dataset = DatasetRef(
        name="x", uri="", sha256="", source_sha256="", target="t", task="regression", **about
    )
    assert truth_of(rows, dataset).tolist() == [2.5]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000))
def test_ndcg_is_that_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    users, items, top = 4, 12, 5
    scores = random.permuted(np.tile(np.arange(items), (users, 1)), axis=1).astype(float)
    relevant = random.random((users, items)) < 0.3
    relevant[:, 0] = True
    order = np.argsort(-scores, axis=1)[:, :top]
    pairs = np.argwhere(relevant)[:, ::-1]
    found = answered([order[user].tolist() for user in pairs[:, 1]])
    shuffled = random.permutation(len(pairs))
    ndcg, recall = by_user(found[shuffled], pairs[shuffled])
    expected = [ndcg_score(relevant[[u]].astype(float), scores[[u]], k=top) for u in range(users)]
    np.testing.assert_allclose(ndcg, expected)
    hits = [relevant[u, order[u]].sum() / relevant[u].sum() for u in range(users)]
    np.testing.assert_allclose(recall, hits)
