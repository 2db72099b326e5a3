"""Figures of language models, and how far chance moves them.

Bits per byte compare models of any tokens: both are of the text, not of how it is cut. Perplexity
is of a token, so it compares models of the same tokens alone.
Shapes: N rows, D draws of the bootstrap; sums are [N, 3]: nats, tokens, bytes of each row.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.evaluation.intervals import Interval, resampled_intervals

BITS = 8
"""Of a byte that nothing is known about."""
Numbers = NDArray[np.floating[Any]]


def text_figures(
    sums_N3: Numbers, labels_N: NDArray[Any], classes: Sequence[str]
) -> tuple[dict[str, float], dict[str, Interval], tuple[()]]:
    """Figures keyed `bits_saved`, `bits_per_byte`, `perplexity`; their 95 % intervals.

    `bits_saved` is eight less the bits per byte: more is better, as of every metric that proves.
    """
    del labels_N
    assert not classes, f"texts have no classes, these are {classes}"
    nats_N, tokens_N, bytes_N = sums_N3.astype(np.float64).T
    bits, perplexity = bits_of(nats_N, bytes_N), np.exp(nats_N.sum() / tokens_N.sum())
    figures = {
        "bits_saved": BITS - float(bits),
        "bits_per_byte": float(bits),
        "perplexity": float(perplexity),
        "bytes_per_token": float(bytes_N.sum() / tokens_N.sum()),
    }
    return figures, _intervals(nats_N, tokens_N, bytes_N), ()


def bits_of(nats_DN: Numbers, bytes_DN: Numbers) -> NDArray[np.float64]:
    """Bits per byte of all rows of each draw together."""
    # Rows of no bytes alone have the ends of their texts, which are told in something.
    return np.asarray(nats_DN.sum(-1) / math.log(2) / np.maximum(bytes_DN.sum(-1), 1))


def _intervals(nats_N: Numbers, tokens_N: Numbers, bytes_N: Numbers) -> dict[str, Interval]:
    """Percentile intervals by the bootstrap over rows; none of one row."""

    def figures(
        nats_DN: Numbers, tokens_DN: Numbers, bytes_DN: Numbers, axis: int = -1
    ) -> NDArray[np.float64]:
        assert axis == -1, "scipy hands resamples on the last axis"
        bits_D = bits_of(nats_DN, bytes_DN)
        perplexity_D = np.exp(nats_DN.sum(-1) / tokens_DN.sum(-1))
        return np.stack([BITS - bits_D, bits_D, perplexity_D])

    names = ("bits_saved", "bits_per_byte", "perplexity")
    return resampled_intervals((nats_N, tokens_N, bytes_N), figures, names)
