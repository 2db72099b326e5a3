"""Who is given up early among several objectives: asynchronous successive halving by fronts.

MO-ASHA (Schmucker, Donini, Zafar, Salinas and Archambeau, arXiv:2106.12639). Of the trials that
have reached a rung those go on that come first by non-dominated sorting, in one front by an epsilon
net: the best by the first objective, then whichever is farthest from those before it. Distances are
of ranks, so that neither a unit nor a scale decides. Optuna gives nobody up in a study of several
objectives, and its own sorting is no part of its interface.

Two things differ from the paper. Whoever is given up is not taken up again, and the first few are
judged knowing little: at least as many go on as there are objectives, one for each end of a front.
And what an answer costs is not learned: it is known at the first rung (`worth.py`).
"""

from collections.abc import Callable, Iterator

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.study import StudyDirection
from optuna.trial import Trial

from tasks.sweep.study import REDUCTION, first_rung

RUNG = "rung"
"""Attribute of a trial, with the passes of the rung: the values by which it was judged there, and
whether it went on. Who goes on again after a kill is not judged again."""
Losses = NDArray[np.float64]
"""Of each trial in each objective, [N, M]; lower is better."""


def is_rung(passed: int, passes: int) -> bool:
    """Whether trials of so many passes are judged after the first `passed`."""
    rung = first_rung(passes)
    while rung < passed:
        rung *= REDUCTION
    return rung == passed < passes


def goes_on(
    study: optuna.Study, trial: Trial, passed: int, values: Callable[[], list[float]]
) -> bool:
    """Whether a trial goes on from a rung, by its `values` of the objectives as they are known."""
    name = f"{RUNG}_{passed}"
    if (decided := trial.user_attrs.get(name)) is None:
        others = [each.user_attrs for each in study.get_trials(deepcopy=False)]
        own, known = values(), [each[name]["values"] for each in others if name in each]
        signs = [-1 if each == StudyDirection.MAXIMIZE else 1 for each in study.directions]
        decided = {"values": own, "goes_on": is_among_best(np.array([*known, own]) * signs)}
        trial.set_user_attr(name, decided)
    return bool(decided["goes_on"])


def is_among_best(losses: Losses) -> bool:
    """Whether the last of the trials is one of those that go on."""
    count, objectives = losses.shape
    return count - 1 in best_of(losses, max(objectives, count // REDUCTION))


def best_of(losses: Losses, count: int) -> list[int]:
    """The first so many, in order: front by front, each by its epsilon net."""
    places = ranks(losses)
    found: list[int] = []
    for front in fronts(losses):
        found += front[net(places[front])].tolist()
        if len(found) >= count:
            break
    return found[:count]


def fronts(losses: Losses) -> Iterator[NDArray[np.intp]]:
    """Those whom nobody dominates, then those whom nobody else does, and so on."""
    no_worse: NDArray[np.bool_] = np.all(losses[:, None] <= losses, axis=2)
    dominates: NDArray[np.bool_] = no_worse & ~no_worse.T
    left = np.arange(len(losses))
    while len(left):
        is_front = ~dominates[np.ix_(left, left)].any(axis=0)
        yield left[is_front]
        left = left[~is_front]


def ranks(losses: Losses) -> Losses:
    """The place of each trial in each objective, from 0 to 1; equal ones share theirs."""
    columns = [np.unique(column, return_inverse=True)[1] for column in losses.T]
    return np.stack([column / max(1, column.max()) for column in columns], axis=1)


def net(points: Losses) -> list[int]:
    """An order in which each is as far as can be from those before it (Clarkson 2006).

    The first is the lowest by the first column.
    """
    order = [int(points[:, 0].argmin())]
    distance = np.full(len(points), np.inf)
    while len(order) < len(points):
        distance = np.minimum(distance, np.linalg.norm(points - points[order[-1]], axis=1))
        distance[order] = -1.0
        order.append(int(distance.argmax()))
    return order
