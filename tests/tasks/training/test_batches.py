"""Batches are a function of seed and epoch alone."""

from contextlib import nullcontext

import numpy as np
import pytest

from tasks.training.batches import (
    check_shares,
    epoch_batches,
    length_ordered_batches,
    shard,
    steps_per_epoch,
)

LENGTHS = np.random.default_rng(0).integers(3, 60, 1000).tolist()


@pytest.mark.parametrize(("rows", "size"), [(1000, 32), (33, 32), (7, 32), (64, 32)])
def test_every_row_stands_in_exactly_one_batch(rows: int, size: int) -> None:
    batches = epoch_batches(LENGTHS[:rows], size, seed=7, epoch=0)
    assert sorted(np.concatenate(batches).tolist()) == list(range(rows))
    assert len(batches) == steps_per_epoch(rows, size)
    sizes = [len(batch) for batch in batches]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= size


def test_seed_and_epoch_decide_the_order() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(epoch_batches(LENGTHS, 32, seed, epoch)).tolist()

    assert order(7, 0) == order(7, 0)
    assert order(7, 0) != order(7, 1)
    assert order(7, 0) != order(8, 0)


def test_rows_of_like_length_share_a_batch() -> None:
    batches = epoch_batches(LENGTHS, 16, seed=7, epoch=0)
    padded = sum(len(b) * max(LENGTHS[i] for i in b) for b in batches)
    assert padded < 1.15 * sum(LENGTHS)


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_shards_of_a_batch_are_the_batch(world_size: int) -> None:
    batch = np.arange(32)
    parts = [shard(batch, rank, world_size) for rank in range(world_size)]
    assert sorted(np.concatenate(parts).tolist()) == batch.tolist()


def test_answers_are_batched_shortest_first() -> None:
    batches = length_ordered_batches([5, 1, 3], 2)
    assert [batch.tolist() for batch in batches] == [[1, 2], [0]]


@pytest.mark.parametrize("size", [2, 3, 4, 7])
@pytest.mark.parametrize("rows", [4, 6, 7, 9, 10, 13, 28, 33])
def test_shares_are_refused_exactly_where_one_would_be_empty(rows: int, size: int) -> None:
    workers = 3
    batches = epoch_batches(LENGTHS[:rows], size, seed=7, epoch=0)
    is_empty = any(len(shard(b, rank, workers)) == 0 for b in batches for rank in range(workers))
    refused = pytest.raises(ValueError, match=f"batch_size {size} must be larger")
    with refused if is_empty else nullcontext():
        check_shares(rows, size, workers, "compute.workers")
