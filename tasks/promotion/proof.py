"""Is one model better than another on the same rows? Paired bootstrap of the difference.

Rows are drawn with replacement and both models are scored on the same draw (Efron and Tibshirani
1993, chapter 13; Koehn 2004 for systems on one test set). The interval is the percentile one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.evaluation.bootstrap import percentile_interval
from tasks.evaluation.confusions import Labels, Metric, confusions, num_answers, score, scores
from tasks.promotion.config import GatePolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Score of the first model minus the second's, with its two-sided interval."""

    metric: Metric
    value: float
    low: float
    high: float
    confidence: float
    rows: int
    changed_rows: int
    """Rows on which the two models disagree."""

    def __str__(self) -> str:
        """`macro_f1 +0.0121 [+0.0034, +0.0207] at 95 % on 7,497 rows`"""
        interval = f"[{self.low:+.4f}, {self.high:+.4f}]"
        where = f"at {self.confidence:.0%} on {self.rows:,} rows"
        return f"{self.metric} {self.value:+.4f} {interval} {where}".replace("%", " %")


def paired_difference(
    truth: Labels, first: Labels, second: Labels, classes: int, policy: GatePolicy
) -> Difference:
    """Bootstrap the difference of two models' predictions for the same rows.

    A prediction beyond `classes` is of a class that no row has: wrong, like any other mistake.
    Deterministic for the policy's seed. Raises ValueError when the three do not have the same rows.
    """
    if not len(truth) == len(first) == len(second) or len(truth) < 2:
        raise ValueError(
            f"{len(truth)} labels, {len(first)} and {len(second)} predictions: "
            "a paired comparison needs the same rows, at least 2"
        )
    metric = policy.metric
    answers = num_answers(classes, first, second)
    cells = (truth * answers + first, truth * answers + second)

    def difference(
        first_cells: npt.NDArray[np.int64], second_cells: npt.NDArray[np.int64], axis: int = -1
    ) -> npt.NDArray[np.float64]:
        assert axis == -1, "scipy hands resamples on the last axis"
        first_scores = scores(metric, confusions(first_cells, classes, answers))
        return first_scores - scores(metric, confusions(second_cells, classes, answers))

    low, high = interval_of(cells, difference, policy)
    return Difference(
        metric=metric,
        value=score(metric, truth, first, classes) - score(metric, truth, second, classes),
        low=low,
        high=high,
        confidence=policy.confidence,
        rows=len(truth),
        changed_rows=int((first != second).sum()),
    )


def interval_of(
    samples: Sequence[npt.NDArray[Any]], statistic: Callable[..., Any], policy: GatePolicy
) -> tuple[float, float]:
    """Percentile interval of a statistic over draws of rows, the same rows of every sample.

    `statistic` takes resamples on the last axis. Deterministic for the policy's seed.
    """
    low, high = percentile_interval(
        samples,
        statistic,
        draws=policy.resamples,
        confidence=policy.confidence,
        seed=policy.seed,
    )
    return float(low), float(high)


def detectable_difference(rows: int, accuracy: float = 0.75, confidence: float = 0.95) -> float:
    """The difference in accuracy that a holdout of `rows` proves four times in five.

    Two models of like accuracy disagree mostly where one of them errs: the share of such rows is
    taken as the error rate, so the difference has a standard error of sqrt((1 - accuracy) / rows).
    Power 80 % at the two-sided confidence. Macro-F1 is near it when the classes are balanced.
    """
    if rows < 1 or not 0 < accuracy < 1:
        raise ValueError(f"rows {rows} must be at least 1, accuracy {accuracy} between 0 and 1")
    normal = NormalDist()
    reach = normal.inv_cdf(0.5 + confidence / 2) + normal.inv_cdf(0.8)
    return min(1.0, reach * sqrt((1 - accuracy) / rows))
