"""The area under the ROC curve as a mean over rows, and how far chance moves it.

The area is the mean over pairs of a positive and a negative row of who has the higher score, so
each row has a mean of its own, and the variance of the area follows from those (DeLong et al.
1988, Biometrics 44, equation 3; computed by mid-ranks as in Sun and Xu 2014, IEEE SPL 21).
"""

from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from tasks.evaluation.confusions import Labels

Scores = npt.NDArray[np.floating]


def row_means(truth: Labels, scores: Scores) -> tuple[Scores, Scores]:
    """Share of the other class that each positive row outranks, and that outranks each negative."""
    is_positive = truth == 1
    ranks = rankdata(scores)
    positive, negative = scores[is_positive], scores[~is_positive]
    above = (ranks[is_positive] - rankdata(positive)) / len(negative)
    below = 1 - (ranks[~is_positive] - rankdata(negative)) / len(positive)
    return above, below


def area_interval(positive: Scores, negative: Scores, confidence: float) -> tuple[float, float]:
    """Two-sided interval of an area, or of a difference of two, from its row means."""
    value = float(positive.mean())
    spread = positive.var(ddof=1) / len(positive) + negative.var(ddof=1) / len(negative)
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * sqrt(spread)
    return value - reach, value + reach
