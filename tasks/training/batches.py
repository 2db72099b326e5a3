"""Which rows make which batch: a pure function of the seed and the epoch, not of the workers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

POOL_BATCHES = 32
"""Rows are sorted by length within pools of this many batches: little padding, still random."""

RowIds = NDArray[np.int64]
Lengths = Sequence[int] | NDArray[np.int64]


def epoch_batches(lengths: Lengths, batch_size: int, seed: int, epoch: int) -> list[RowIds]:
    """Every row once, in batches of rows of like length, whose sizes differ by one at most."""
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(lengths))
    length_of = np.asarray(lengths)
    pools = [
        pool[np.argsort(length_of[pool], kind="stable")]
        for pool in _slices(order, batch_size * POOL_BATCHES)
    ]
    batches = np.array_split(np.concatenate(pools), steps_per_epoch(len(order), batch_size))
    return [batches[index] for index in random.permutation(len(batches))]


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Number of batches that `epoch_batches` returns."""
    return -(-rows // batch_size)


def check_shares(rows: int, batch_size: int, workers: int, setting: str) -> None:
    """Raise ValueError when a batch of so many rows would leave one of the workers, of which
    `setting` asks for so many, without any."""
    least = rows // steps_per_epoch(rows, batch_size)
    if least < workers:
        raise ValueError(
            f"batch_size {batch_size} must be larger, or {setting} {workers} lower: each worker "
            f"needs a row of every batch, and some of those of {rows} rows have {least}"
        )


def shard(batch: RowIds, rank: int, world_size: int) -> RowIds:
    """One worker's share. Strided, so that long and short rows are spread evenly."""
    return batch[rank::world_size]


def in_parts(rows: RowIds, parts: int) -> list[RowIds]:
    """The rows in so many parts of nearly one size, fewer when there are fewer rows."""
    return [rows] if parts == 1 else np.array_split(rows, max(1, min(parts, len(rows))))


def length_ordered_batches(lengths: Lengths, batch_size: int) -> list[RowIds]:
    """Every row once, shortest first: for answering, where order does not matter."""
    return _slices(np.argsort(np.asarray(lengths), kind="stable"), batch_size)


def _slices(rows: RowIds, size: int) -> list[RowIds]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
