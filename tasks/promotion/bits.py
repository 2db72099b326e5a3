"""Does one language model tell the same texts in fewer bits than another? Paired bootstrap.

Rows are drawn with replacement and both models are scored on the same draw, as in `proof`. Bits are
of bytes, so models of other tokens are compared too.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.evaluation.likelihood import Numbers, bits_of
from tasks.promotion.config import GatePolicy
from tasks.promotion.proof import Difference, interval_of


def bits_difference(
    first_N3: NDArray[Any], second_N3: NDArray[Any], policy: GatePolicy
) -> Difference:
    """Bits per byte that the first model saves against the second: positive is better.

    Of each row its nats, tokens and bytes. Deterministic for the policy's seed. Raises ValueError
    when the two did not read the same bytes.
    """
    rows = len(first_N3)
    if rows != len(second_N3) or rows < 2 or (first_N3[:, 2] != second_N3[:, 2]).any():
        raise ValueError(
            f"{rows} and {len(second_N3)} rows of {first_N3[:, 2].sum():.0f} and "
            f"{second_N3[:, 2].sum():.0f} bytes: a paired comparison needs the same texts, at "
            "least 2"
        )
    ours, theirs, bytes_N = (
        part.astype(np.float64) for part in (first_N3[:, 0], second_N3[:, 0], first_N3[:, 2])
    )

    def saved(ours: Numbers, theirs: Numbers, many_bytes: Numbers, axis: int = -1) -> Numbers:
        assert axis == -1, "scipy hands resamples on the last axis"
        found: NDArray[np.float64] = bits_of(theirs, many_bytes) - bits_of(ours, many_bytes)
        return found

    low, high = interval_of((ours, theirs, bytes_N), saved, policy)
    return Difference(
        metric="bits_saved",
        value=float(saved(ours, theirs, bytes_N)),
        low=low,
        high=high,
        confidence=policy.confidence,
        rows=rows,
        changed_rows=int((ours != theirs).sum()),
    )
