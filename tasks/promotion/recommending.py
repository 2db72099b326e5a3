"""Does one model recommend better than another? Paired bootstrap over users of the difference.

Users are drawn with replacement and both models are scored on the same draw, as in `proof`.
"""

import numpy as np

from tasks.evaluation.recommended import Answers, Truth, by_user, items_of
from tasks.promotion.config import GatePolicy
from tasks.promotion.proof import Difference, interval_of


def ndcg_difference(
    truth: Truth, first: Answers, second: Answers, policy: GatePolicy
) -> Difference:
    """Mean NDCG over users of the first model minus the second's.

    Deterministic for the policy's seed. Raises ValueError when the three do not have the same rows.
    """
    if not len(truth) == len(first) == len(second):
        raise ValueError(
            f"{len(truth)} events, {len(first)} and {len(second)} answers: a paired comparison "
            "needs the same rows"
        )
    better_U = by_user(first, truth)[0] - by_user(second, truth)[0]
    if len(better_U) < 2:
        raise ValueError(f"{len(better_U)} users in the holdout: a comparison needs at least 2")
    low, high = interval_of((better_U,), np.mean, policy)
    # A catalogue with fewer items than are asked for answers them all.
    shared = min(first.shape[1], second.shape[1]) // 2
    ours, theirs = items_of(first)[:, :shared], items_of(second)[:, :shared]
    return Difference(
        metric="ndcg",
        value=float(better_U.mean()),
        low=low,
        high=high,
        confidence=policy.confidence,
        rows=len(truth),
        changed_rows=int((ours != theirs).any(axis=1).sum()),
    )
