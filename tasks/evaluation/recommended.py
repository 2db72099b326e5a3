"""Figures of ranked items, user by user, and how far chance moves them.

A user's relevant items are those that the holdout says were met. Of the K that were answered,
recall is the share of them that is among those K; NDCG discounts each by its place and is 1 when
the first places hold as many as can be (Järvelin and Kekäläinen 2002, TOIS 20).
Shapes: N rows, U users, K answered items.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.evaluation.intervals import Interval, mean_interval

Answers = NDArray[np.float32]
Truth = NDArray[np.int64]
"""Item and user of each row, [N, 2]: positions in the catalogue, and numbers from 0."""


def truth_of(rows: Rows, dataset: DatasetRef) -> NDArray[Any]:
    """What is true of each row, as figures of the task ask for it: labels, and of a ranking who."""
    if dataset.task != "ranking":
        return rows.labels
    user = next(name for name, type_ in dataset.types.items() if type_ == "user")
    return events_of(rows, user)


def events_of(rows: Rows, user: str) -> Truth:
    """The truth of rows whose column `user` names users; rows of nobody are one user each."""
    names = [
        f"row {row}" if name is None else f"user {name}"
        for row, name in enumerate(rows.columns[user])
    ]
    users = np.unique(names, return_inverse=True)[1]
    return np.stack([rows.labels, users], axis=1).astype(np.int64)


def item_figures(
    found_N2K: Answers, truth_N2: Truth, classes: Sequence[str]
) -> tuple[dict[str, float], dict[str, Interval], tuple[()]]:
    """Figures keyed `ndcg`, `recall`, `hit_rate` (users with a relevant item among the K), means
    over users; `coverage` is the share of the catalogue that is answered to anybody."""
    ndcg_U, recall_U = by_user(found_N2K, truth_N2)
    means = {"ndcg": ndcg_U, "recall": recall_U, "hit_rate": (recall_U > 0).astype(np.float64)}
    answered = items_of(found_N2K)
    figures = {name: float(values.mean()) for name, values in means.items()}
    figures["coverage"] = len(np.unique(answered[answered >= 0])) / len(classes)
    if len(ndcg_U) < 2:
        return figures, {}, ()
    return figures, {name: mean_interval(values) for name, values in means.items()}, ()


def by_user(found_N2K: Answers, truth_N2: Truth) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """NDCG and recall of each user, [U], in the order of their numbers."""
    answered = items_of(found_N2K)
    discount_K = 1 / np.log2(np.arange(answered.shape[1]) + 2)
    order = np.argsort(truth_N2[:, 1], kind="stable")
    begins = np.flatnonzero(np.diff(truth_N2[order, 1], prepend=-1))
    ndcg, recall = np.zeros((2, len(begins)))
    for user, rows in enumerate(np.split(order, begins[1:])):
        relevant = np.unique(truth_N2[rows, 0])
        hits_K = np.isin(answered[rows[0]], relevant)
        best = discount_K[: len(relevant)].sum()
        ndcg[user] = discount_K[hits_K].sum() / best
        recall[user] = hits_K.sum() / len(relevant)
    return ndcg, recall


def items_of(found_N2K: Answers) -> NDArray[np.int64]:
    """The answered items of each row in their order, [N, K]; -1 where nothing was left."""
    places_NK, shares_NK = np.split(found_N2K, 2, axis=1)
    return np.where(shares_NK > 0, places_NK, -1).astype(np.int64)


def hits_by_place(found_N2K: Answers, truth_N2: Truth) -> NDArray[np.int64]:
    """How many events have their item at each place, [K]."""
    hits_NK = items_of(found_N2K) == truth_N2[:, :1]
    return np.asarray(hits_NK.sum(axis=0), dtype=np.int64)
