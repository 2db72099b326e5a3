"""Does one model rank rows better than another? The paired difference of two areas under the ROC.

Each row has a mean of its own under either model (`row_means`), and the variance of the difference
follows from the differences of those.
"""

import numpy as np

from tasks.evaluation.confusions import Labels
from tasks.evaluation.ranks import Scores, area_interval, row_means
from tasks.promotion.config import GatePolicy
from tasks.promotion.proof import Difference


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
    low, high = area_interval(positive, negative, policy.confidence)
    return Difference(
        metric="roc_auc",
        value=float(positive.mean()),
        low=low,
        high=high,
        confidence=policy.confidence,
        rows=len(truth),
        changed_rows=int((first != second).sum()),
    )
