"""Does one model of numbers explain more than another? Paired bootstrap of the difference in R2.

Rows are drawn with replacement and both models are scored on the same draw, as in `proof`.
"""

import numpy as np
from numpy.typing import NDArray

from tasks.evaluation.regression import Numbers, explained, squared_errors
from tasks.promotion.config import GatePolicy
from tasks.promotion.proof import Difference, interval_of


def r2_difference(
    truth: Numbers, first: Numbers, second: Numbers, policy: GatePolicy
) -> Difference:
    """R2 of the first model's predictions minus the second's, on the same rows.

    Deterministic for the policy's seed. Raises ValueError when the three do not have the same rows.
    """
    if not len(truth) == len(first) == len(second) or len(truth) < 2:
        raise ValueError(
            f"{len(truth)} numbers, {len(first)} and {len(second)} predictions: "
            "a paired comparison needs the same rows, at least 2"
        )
    errors = squared_errors(truth, first), squared_errors(truth, second)

    def difference(ours: Numbers, theirs: Numbers, real: Numbers, axis: int = -1) -> Numbers:
        assert axis == -1, "scipy hands resamples on the last axis"
        found: NDArray[np.float64] = explained(ours, real) - explained(theirs, real)
        return found

    low, high = interval_of((*errors, truth), difference, policy)
    return Difference(
        metric="r2",
        value=float(difference(*errors, truth)),
        low=low,
        high=high,
        confidence=policy.confidence,
        rows=len(truth),
        changed_rows=int((first != second).sum()),
    )
