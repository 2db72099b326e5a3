"""The chosen candidate asked again: divided rows, damaged rows, shuffled columns, left-out parts.

Shapes: N rows, C classes, or of numbers 1.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.inspection import permutation_importance

from tasks.data.snapshot import Rows
from tasks.evaluation.judging import Answers, Judge
from tasks.quality_artifacts import Importance, Probed, Slice

Columns = Mapping[str, Sequence[Any]]
Row = Mapping[str, Any]
Answer = Callable[[Columns], Answers]
Parts = Callable[[Row], Sequence[tuple[str, Row]]]
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer, and what each part of the row had to do with it."""

    row_id: int
    row: Row
    truth: str
    predicted: str
    how_wrong: str
    parts: list[tuple[str, float]]
    """(part, what it did for the wrong answer, from -1 to 1), in the order of the row"""
    truth_word: str = "labelled"
    """What stands before the truth."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """A class that was taken for another, with some of the rows to which that happened."""

    truth: str
    predicted: str
    rows: int
    share: float
    """Of the rows of the true class."""
    examples: list[tuple[int, Row]]
    """(row id, row), the surest first"""


def slices_of(
    slicings: Mapping[str, Sequence[str]],
    truth_N: Answers,
    answers: Mapping[str, Answers],
    judge: Judge,
    least: int,
) -> list[Slice]:
    """Every slice with the estimate of each contender, NOT APPLICABLE below `least` rows."""
    found = []
    for slicing, names in slicings.items():
        members = np.asarray(names, dtype=object)
        for name in sorted(set(names), key=slice_order):
            rows = np.flatnonzero(members == name)
            estimates = {
                bundle: judge.estimate(found_NC[rows], truth_N[rows])
                if len(rows) >= least
                else None
                for bundle, found_NC in answers.items()
            }
            found.append(Slice(slicing=slicing, name=name, rows=len(rows), estimates=estimates))
    return found


def slice_order(name: str) -> tuple[bool, float, str]:
    """By the first number in a name; `up to` stands before `over`, words stand last."""
    number = re.search(r"-?\d+(\.\d+)?(e[+-]?\d+)?", name)
    return not name.startswith("up to"), float(number[0]) if number else float("inf"), name


def robustness_of(
    answer: Answer, rows: Rows, damaged: Mapping[str, Columns], judge: Judge
) -> list[Probed]:
    """The metric on the rows as they are, then after each kind of damage."""
    usual_NC = answer(rows.columns)
    found = []
    for name, columns in {"as they are": rows.columns, **damaged}.items():
        found_NC = usual_NC if columns is rows.columns else answer(columns)
        changed = judge.changed(usual_NC, found_NC)
        estimate = judge.estimate(found_NC, rows.labels)
        found.append(Probed(name=name, rows=len(rows), estimate=estimate, changed=changed))
    return found


class _Answering:
    """An answer as scikit-learn asks for it; it was fitted long ago."""

    def __init__(self, answer: Answer) -> None:
        self.predict = answer

    def fit(self) -> None:
        """Nothing is left to fit."""


def importance_of(answer: Answer, rows: Rows, judge: Judge, seed: int) -> list[Importance]:
    """Permutation importance (Breiman 2001) of each column, the largest first."""
    sign = 1.0 if judge.more_is_better else -1.0

    def value(model: _Answering, table: pd.DataFrame, truth_N: Answers) -> float:
        columns = {str(name): table[name].tolist() for name in table.columns}
        estimate = judge.estimate(model.predict(columns), truth_N)
        return sign * estimate.value if estimate else float("nan")

    table = pd.DataFrame({n: pd.Series(v, dtype=object) for n, v in rows.columns.items()})
    found = permutation_importance(
        _Answering(answer), table, rows.labels, scoring=value, n_repeats=REPEATS, random_state=seed
    )
    made = [
        Importance(column=str(name), lost=float(lost), deviation=float(deviation))
        for name, lost, deviation in zip(
            table.columns, found.importances_mean, found.importances_std, strict=True
        )
    ]
    return sorted(made, key=lambda importance: -importance.lost)


def explained(
    answer: Answer, rows: Rows, found_NC: Answers, judge: Judge, parts: Parts
) -> list[Mistake]:
    """Each row's answer with what is lost of it when one part is left out.

    Occlusion (Zeiler and Fergus 2014, arXiv:1311.2901), all rows in one call.
    """
    whole = [_row(rows, index) for index in range(len(rows))]
    read = [parts(row) for row in whole]
    without = [row for row_parts in read for _, row in row_parts]
    asked = {name: [row[name] for row in without] for name in rows.columns}
    answered = iter(answer(asked) if without else ())
    found = []
    for index, row_parts in enumerate(read):
        given, label = found_NC[index], rows.labels[index]
        truth, predicted, how_wrong = judge.named(given, label)
        effects = [(name, judge.spoke_for(given, next(answered), label)) for name, _ in row_parts]
        row_id = int(rows.row_ids[index])
        found.append(Mistake(row_id, whole[index], truth, predicted, how_wrong, effects))
    return found


def confused(
    rows: Rows, found_NC: Answers, classes: Sequence[str], most: int, examples: int
) -> list[Confusion]:
    """The most frequent pairs of a true class and another one that it was called."""
    given_N = found_NC.argmax(axis=1)
    wrong = np.flatnonzero(given_N != rows.labels)
    pairs = Counter(zip(rows.labels[wrong].tolist(), given_N[wrong].tolist(), strict=True))
    found = []
    for (truth, given), count in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:most]:
        these = wrong[(rows.labels[wrong] == truth) & (given_N[wrong] == given)]
        surest = these[np.argsort(-found_NC[these, given], kind="stable")][:examples]
        found.append(
            Confusion(
                truth=classes[truth],
                predicted=classes[given],
                rows=count,
                share=count / int((rows.labels == truth).sum()),
                examples=[(int(rows.row_ids[index]), _row(rows, index)) for index in surest],
            )
        )
    return found


def _row(rows: Rows, index: int) -> Row:
    return {name: values[index] for name, values in rows.columns.items()}
