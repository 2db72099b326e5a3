"""How answers are judged: a figure for some rows, what a change is, what a mistake is.

Shapes: N rows, C classes, or of numbers 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.data.slicing import sliced_by_size
from tasks.evaluation.confusions import Metric
from tasks.evaluation.intervals import estimated, estimated_mean
from tasks.evaluation.metrics import Labels, Probabilities
from tasks.quality_artifacts import Estimate

Answers = NDArray[Any]
RARE = 0.5
"""A class is rare when training has fewer rows of it than this share of an even one."""


class Judge(Protocol):
    """One task's view of answers [N, C] and truth [N]; see `recommended.truth_of`."""

    @property
    def metric(self) -> str:
        """What is estimated."""

    @property
    def more_is_better(self) -> bool:
        """Which way the metric is good."""

    def estimate(self, found_NC: Answers, truth_N: Answers) -> Estimate | None:
        """The metric of some rows; None where it has no meaning."""

    def changed(self, before_NC: Answers, after_NC: Answers) -> float:
        """How much else is answered: share of the rows, or mean difference."""

    def worst(self, found_NC: Answers, truth_N: Answers, count: int) -> NDArray[np.int64]:
        """The rows that are answered worst, the worst first."""

    def named(self, found_C: Answers, truth: Any) -> tuple[str, str, str]:
        """Truth, answer, and how wrong it is, in words."""

    def spoke_for(self, found_C: Answers, without_C: Answers, truth: Any) -> float:
        """What a part did for a wrong answer: how much of the mistake goes when the part goes."""

    def slices(self, truth_N: Answers, training_N: Answers) -> dict[str, list[str]]:
        """Rows divided by their truth."""


@dataclass(frozen=True, slots=True)
class ClassJudge:
    """Named classes, with a probability for each."""

    metric: Metric
    classes: Sequence[str]
    more_is_better = True

    def estimate(self, found_NC: Probabilities, truth_N: Labels) -> Estimate | None:
        """Among the classes that occur."""
        return estimated(self.metric, found_NC, truth_N)

    def changed(self, before_NC: Probabilities, after_NC: Probabilities) -> float:
        """Share of the rows that are given another class."""
        return float((before_NC.argmax(axis=1) != after_NC.argmax(axis=1)).mean())

    def worst(self, found_NC: Probabilities, truth_N: Labels, count: int) -> NDArray[np.int64]:
        """Rows with a wrong answer, the surest first."""
        wrong = np.flatnonzero(found_NC.argmax(axis=1) != truth_N)
        sure = found_NC[wrong].max(axis=1)
        return wrong[np.argsort(-sure, kind="stable")][:count]

    def named(self, found_C: Probabilities, truth: int) -> tuple[str, str, str]:
        """Two classes, and the probability of the wrong one."""
        given = int(found_C.argmax())
        return self.classes[truth], self.classes[given], f"at {found_C[given]:.3f}"

    def spoke_for(self, found_C: Probabilities, without_C: Probabilities, truth: int) -> float:
        """By how much the wrong class is less likely without the part."""
        del truth
        given = int(found_C.argmax())
        return float(found_C[given] - without_C[given])

    def slices(self, truth_N: Labels, training_N: Labels) -> dict[str, list[str]]:
        """By whether the class is rare in training, where some are and some are not.

        Not for the area under a curve, which needs both classes in every slice.
        """
        if self.metric == "roc_auc":
            return {}
        counts = np.bincount(training_N, minlength=len(self.classes))
        is_rare = counts < RARE * len(training_N) / len(self.classes)
        return {"true class": ["rare" if is_rare[label] else "common" for label in truth_N]}


@dataclass(frozen=True, slots=True)
class NumberJudge:
    """Numbers: judged by their mean absolute error, which parts of the rows can be compared in.

    R2 cannot: a slice in which the truth hardly varies has a low one however close the answers are.
    """

    metric = "mae"
    more_is_better = False

    def estimate(self, found_NC: Answers, truth_N: Answers) -> Estimate | None:
        """Mean absolute error."""
        return estimated_mean(np.abs(found_NC[:, 0] - truth_N))

    def changed(self, before_NC: Answers, after_NC: Answers) -> float:
        """Mean absolute difference of the answers."""
        return float(np.abs(before_NC[:, 0].astype(np.float64) - after_NC[:, 0]).mean())

    def worst(self, found_NC: Answers, truth_N: Answers, count: int) -> NDArray[np.int64]:
        """The largest errors first."""
        return np.argsort(-np.abs(found_NC[:, 0] - truth_N), kind="stable")[:count]

    def named(self, found_C: Answers, truth: float) -> tuple[str, str, str]:
        """Two numbers and their difference."""
        return f"{truth:.4g}", f"{found_C[0]:.4g}", f"off by {found_C[0] - truth:+.4g}"

    def spoke_for(self, found_C: Answers, without_C: Answers, truth: float) -> float:
        """Share of the error that goes without the part; below zero where it grows."""
        error = abs(float(found_C[0]) - truth)
        return (error - abs(float(without_C[0]) - truth)) / error if error else 0.0

    def slices(self, truth_N: Answers, training_N: Answers) -> dict[str, list[str]]:
        """By thirds of the training rows' numbers."""
        return {"true number": sliced_by_size(truth_N.tolist(), training_N.tolist(), "")}
