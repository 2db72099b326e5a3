"""How far drawing other rows moves a statistic: the percentile bootstrap, by SciPy.

Rows are drawn with replacement, the same ones of every sample (Efron and Tibshirani 1993, chapter
13).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

BATCH = 50
"""50 draws of 7,500 rows keep every temporary array inside 8 MB."""
MOST_DRAWN = 8_000_000
"""Rows that are drawn at a time: of two million fewer than 50 draws, which would take 2.4 GB."""


def percentile_interval(
    samples: Sequence[NDArray[Any]],
    statistic: Callable[..., Any],
    *,
    draws: int,
    confidence: float,
    seed: int,
) -> tuple[Any, Any]:
    """Two-sided interval of a statistic, or of several that are stacked on its first axis.

    `statistic` takes resamples on the last axis. Deterministic for the seed.
    """
    found = stats.bootstrap(
        tuple(samples),
        statistic,
        paired=len(samples) > 1,
        vectorized=True,
        method="percentile",
        n_resamples=draws,
        batch=max(1, min(BATCH, MOST_DRAWN // len(samples[0]))),
        confidence_level=confidence,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return found.low, found.high
