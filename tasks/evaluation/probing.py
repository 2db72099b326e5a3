"""The chosen candidate asked again: divided rows, damaged rows, shuffled columns, left-out parts.

Shapes: N rows, C classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.inspection import permutation_importance

from tasks.artifacts import Importance, Probed, Slice
from tasks.data.snapshot import Rows
from tasks.evaluation.confusions import Metric
from tasks.evaluation.intervals import estimated
from tasks.evaluation.metrics import Labels, Probabilities

Columns = Mapping[str, Sequence[Any]]
Answer = Callable[[Columns], Probabilities]
Parts = Callable[[Mapping[str, Any]], Sequence[tuple[str, Mapping[str, Any]]]]
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer, and what each part of the row had to do with it."""

    row_id: int
    truth: str
    predicted: str
    confidence: float
    parts: list[tuple[str, float]]
    """(part, how much less likely the wrong class is without it)"""


def slices_of(
    slicings: Mapping[str, Sequence[str]],
    labels_N: Labels,
    answers: Mapping[str, Probabilities],
    metric: Metric,
    least: int,
) -> list[Slice]:
    """Every slice with the estimate of each contender, NOT APPLICABLE below `least` rows."""
    found = []
    for slicing, names in slicings.items():
        members = np.asarray(names, dtype=object)
        for name in dict.fromkeys(sorted(names)):
            rows = np.flatnonzero(members == name)
            estimates = {
                bundle: estimated(metric, probabilities_NC[rows], labels_N[rows])
                if len(rows) >= least
                else None
                for bundle, probabilities_NC in answers.items()
            }
            found.append(Slice(slicing=slicing, name=name, rows=len(rows), estimates=estimates))
    return found


def robustness_of(
    answer: Answer, rows: Rows, damaged: Mapping[str, Columns], metric: Metric
) -> list[Probed]:
    """The metric on the rows as they are, then after each kind of damage."""
    usual_N = answer(rows.columns).argmax(axis=1)
    found = []
    for name, columns in {"as they are": rows.columns, **damaged}.items():
        probabilities_NC = answer(columns)
        changed = float((probabilities_NC.argmax(axis=1) != usual_N).mean())
        estimate = estimated(metric, probabilities_NC, rows.labels)
        found.append(Probed(name=name, rows=len(rows), estimate=estimate, changed=changed))
    return found


class _Answering:
    """An answer as scikit-learn asks for it; it was fitted long ago."""

    def __init__(self, answer: Answer) -> None:
        self.predict_proba = answer

    def fit(self) -> None:
        """Nothing is left to fit."""


def importance_of(answer: Answer, rows: Rows, metric: Metric, seed: int) -> list[Importance]:
    """Permutation importance (Breiman 2001) of each column, the largest first."""

    def value(model: _Answering, table: pd.DataFrame, labels_N: Labels) -> float:
        columns = {str(name): table[name].tolist() for name in table.columns}
        estimate = estimated(metric, model.predict_proba(columns), labels_N)
        return estimate.value if estimate else float("nan")

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


def worst_rows(probabilities_NC: Probabilities, labels_N: Labels, count: int) -> NDArray[np.int64]:
    """Rows with a wrong answer, the surest first."""
    wrong = np.flatnonzero(probabilities_NC.argmax(axis=1) != labels_N)
    sure = probabilities_NC[wrong].max(axis=1)
    return wrong[np.argsort(-sure, kind="stable")][:count]


def explained(
    answer: Answer,
    rows: Rows,
    probabilities_NC: Probabilities,
    classes: Sequence[str],
    parts: Parts,
) -> list[Mistake]:
    """Each row's answer with what is lost of it when one part is left out.

    Occlusion (Zeiler and Fergus 2014, arXiv:1311.2901), all rows in one call.
    """
    read = [
        parts({name: values[i] for name, values in rows.columns.items()}) for i in range(len(rows))
    ]
    without = [row for row_parts in read for _, row in row_parts]
    asked = {name: [row[name] for row in without] for name in rows.columns}
    answered = iter(answer(asked) if without else ())
    found = []
    for index, row_parts in enumerate(read):
        predicted = int(probabilities_NC[index].argmax())
        sure = float(probabilities_NC[index, predicted])
        effects = [(name, sure - float(next(answered)[predicted])) for name, _ in row_parts]
        found.append(
            Mistake(
                row_id=int(rows.row_ids[index]),
                truth=classes[rows.labels[index]],
                predicted=classes[predicted],
                confidence=sure,
                parts=effects,
            )
        )
    return found
