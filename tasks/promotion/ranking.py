"""Does one model rank rows better than another? The paired difference of two areas under the ROC.

The area is the mean over pairs of a positive and a negative row of who has the higher score, so
each row has a mean of its own, and the variance of the difference follows from those (DeLong et al.
1988, Biometrics 44, equation 3; computed by mid-ranks as in Sun and Xu 2014, IEEE SPL 21).
"""

from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from tasks.promotion.config import GatePolicy
from tasks.promotion.metrics import Labels
from tasks.promotion.proof import Difference

Scores = npt.NDArray[np.floating]


def auc_difference(truth: Labels, first: Scores, second: Scores, policy: GatePolicy) -> Difference:
    """First area minus the second's; `truth` is 1 for positive rows, scores rise with certainty.

    Raises ValueError unless the three have the same rows, at least two of either class.
    """
    counts = np.bincount(truth, minlength=2)
    if not len(truth) == len(first) == len(second) or len(counts) > 2 or counts.min() < 2:
        raise ValueError(
            f"{len(truth)} labels ({', '.join(map(str, counts))} a class), {len(first)} and "
            f"{len(second)} scores: two areas under the ROC need the same rows of two classes"
        )
    ours, theirs = row_means(truth, first), row_means(truth, second)
    positive, negative = (a - b for a, b in zip(ours, theirs, strict=True))
    value = float(positive.mean())
    spread = positive.var(ddof=1) / len(positive) + negative.var(ddof=1) / len(negative)
    reach = NormalDist().inv_cdf(0.5 + policy.confidence / 2) * sqrt(spread)
    return Difference(
        metric="roc_auc",
        value=value,
        low=value - reach,
        high=value + reach,
        confidence=policy.confidence,
        rows=len(truth),
        changed_rows=int((first != second).sum()),
    )


def row_means(truth: Labels, scores: Scores) -> tuple[Scores, Scores]:
    """Share of the other class that each positive row outranks, and that outranks each negative."""
    is_positive = truth == 1
    ranks = rankdata(scores)
    positive, negative = scores[is_positive], scores[~is_positive]
    above = (ranks[is_positive] - rankdata(positive)) / len(negative)
    below = 1 - (ranks[~is_positive] - rankdata(negative)) / len(positive)
    return above, below
