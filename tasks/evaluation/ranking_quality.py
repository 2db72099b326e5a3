"""What is reported of items that are recommended: who is served, which items are ever shown.

Shapes: N rows, U users, K answered items, I items of the catalogue.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.artifacts import DatasetRef
from tasks.data.slicing import sliced_by_size
from tasks.data.snapshot import Rows
from tasks.evaluation.html_page import percent
from tasks.evaluation.intervals import estimated_mean
from tasks.evaluation.probing import Mistake, slice_order
from tasks.evaluation.recommended import by_user, items_of
from tasks.quality_artifacts import Estimate, FactTable

Answers = NDArray[Any]
ITEM = "training rows of the true item"
NEVER = "not in training"
MOST_NAMED = 20
"""Items that a user met and is said to have met; the others are counted."""


@dataclass(frozen=True, slots=True)
class RankJudge:
    """Ranked items, judged by NDCG over users; truth is [N, 2], item and user of each row.

    Of a slice by items only these are relevant, so it says how well they are found.
    """

    classes: Sequence[str]
    metric = "ndcg"
    more_is_better = True

    def estimate(self, found_NC: Answers, truth_N: Answers) -> Estimate | None:
        """Mean NDCG of the users whose rows these are."""
        return estimated_mean(by_user(found_NC, truth_N)[0]) if len(truth_N) else None

    def changed(self, before_NC: Answers, after_NC: Answers) -> float:
        """Share of the answered items that stand in the answer no more."""
        before, after = items_of(before_NC), items_of(after_NC)
        gone = [np.isin(one, other, invert=True) for one, other in zip(before, after, strict=True)]
        return float(np.mean(gone))

    def worst(self, found_NC: Answers, truth_N: Answers, count: int) -> NDArray[np.int64]:
        """The first row of each user who is served worst, those with most events first."""
        _, first_U, events_U = np.unique(truth_N[:, 1], return_index=True, return_counts=True)
        order = np.lexsort((first_U, -events_U, by_user(found_NC, truth_N)[0]))
        return first_U[order][:count].astype(np.int64)

    def named(self, found_C: Answers, truth: Any) -> tuple[str, str, str]:
        """The item, and what was answered in its place."""
        answered = [self.classes[item] for item in items_of(found_C[None])[0] if item >= 0]
        return self.classes[int(truth[0])], ", ".join(answered), "in this order"

    def spoke_for(self, found_C: Answers, without_C: Answers, truth: Any) -> float:
        """Nothing: a user has no parts to leave out."""
        del found_C, without_C, truth
        return 0.0

    def slices(self, truth_N: Answers, training_N: Answers) -> dict[str, list[str]]:
        """By how often the true item was met in training."""
        return {ITEM: by_popularity(truth_N[:, 0], training_N[:, 0])}


def by_popularity(items: Answers, training: Answers) -> list[str]:
    """The size class of each item's training rows, with about as many rows in each."""
    counts = Counter(training.tolist())
    sized = sliced_by_size(
        [counts[item] for item in items.tolist()],
        [counts[item] for item in training.tolist()],
        "rows",
    )
    return [
        size if counts[item] else NEVER for item, size in zip(items.tolist(), sized, strict=True)
    ]


def ranking_tables(
    slicings: Mapping[str, Sequence[str]],
    truth: tuple[Answers, Answers],
    answers: Mapping[str, Answers],
    names: Mapping[str, str],
    dataset: DatasetRef,
) -> tuple[FactTable, ...]:
    """Recall of the chosen one by slice, and what of the catalogue each contender shows.

    `truth` is that of the holdout and of the training rows.
    """
    truth_N, training_N = truth
    first_U = np.unique(truth_N[:, 1], return_index=True)[1]
    to_users = {names[bundle]: found[first_U] for bundle, found in answers.items()}
    return (
        recall_table(slicings, next(iter(answers.values())), truth_N),
        coverage_table(to_users, training_N, len(dataset.classes)),
    )


def recall_table(
    slicings: Mapping[str, Sequence[str]], found: Answers, truth_N: Answers
) -> FactTable:
    """Recall and hit rate of every slice."""
    lines = []
    for slicing, members in slicings.items():
        sides = np.asarray(members, dtype=object)
        for name in sorted(set(members), key=slice_order):
            rows = np.flatnonzero(sides == name)
            recall_U = by_user(found[rows], truth_N[rows])[1]
            estimate = estimated_mean(recall_U)
            hits = percent(float((recall_U > 0).mean()))
            shown = str(estimate) if estimate else "not applicable"
            lines.append((slicing, name, f"{len(rows):,}", f"{len(recall_U):,}", shown, hits))
    top = found.shape[1] // 2
    return FactTable(
        title=f"Recall among {top}",
        about=f"Share of a user's items of the slice that stand among the {top} answered, mean "
        "over users; hit rate: users with one of them at least.",
        head=("divided by", "slice", "rows", "users", f"recall@{top}", "hit rate"),
        rows=tuple(lines),
    )


def coverage_table(answers: Mapping[str, Answers], training_N: Answers, items: int) -> FactTable:
    """Which items are shown to anybody, from those that hardly occur to those that all know.

    `answers` are one row a user, by the name of who gave them.
    """
    catalogue_I = np.arange(items)
    sized = np.asarray(by_popularity(catalogue_I, training_N[:, 0]), dtype=object)
    shown = [_shown(found, items) for found in answers.values()]
    lines = []
    for name in ["whole catalogue", *sorted(set(sized), key=slice_order)]:
        here = catalogue_I if name == "whole catalogue" else np.flatnonzero(sized == name)
        shares = [
            (float((counts_I[here] > 0).mean()), counts_I[here].sum() / max(counts_I.sum(), 1))
            for counts_I in shown
        ]
        cells = [percent(float(share)) for pair in shares for share in pair]
        lines.append((str(name), f"{len(here):,}", *cells))
    head = [f"{name}: {what}" for name in answers for what in ("items shown", "of all answers")]
    return FactTable(
        title="Coverage of the catalogue",
        about="Items by their training rows: the share that is answered to any user of the "
        "holdout, and their share of all answered places.",
        head=("training rows of the item", "items", *head),
        rows=tuple(lines),
    )


def worst_served(rows: Rows, found: Answers, count: int, classes: Sequence[str]) -> list[Mistake]:
    """The users with the lowest NDCG, those with most events first: what each met, and was told."""
    judge = RankJudge(classes)
    ndcg = dict(zip(np.unique(rows.labels[:, 1]), by_user(found, rows.labels)[0], strict=True))
    made = []
    for index in judge.worst(found, rows.labels, count):
        _, answered, _ = judge.named(found[index], rows.labels[index])
        own = np.flatnonzero(rows.labels[:, 1] == rows.labels[index, 1])
        met = [classes[item] for item in np.unique(rows.labels[own, 0])]
        more = f" and {len(met) - MOST_NAMED} more" if len(met) > MOST_NAMED else ""
        row = {name: values[index] for name, values in rows.columns.items()}
        how = f"with NDCG {ndcg[rows.labels[index, 1]]:.3f}"
        told = ", ".join(met[:MOST_NAMED]) + more
        made.append(Mistake(int(rows.row_ids[index]), row, told, answered, how, [], "who met"))
    return made


def _shown(found: Answers, items: int) -> NDArray[np.int64]:
    """How often each item of the catalogue is answered, [I]."""
    answered = items_of(found)
    return np.bincount(answered[answered >= 0], minlength=items)
