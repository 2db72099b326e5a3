"""Which rows each member learns from at a step: those of its own loop, for all at once.

Members of one seed see the same rows. Batches of one epoch differ by one row at most, and not at
the same steps for each seed: a shorter one is filled up with a row that counts nothing.
Shapes: M members, S seeds, K steps of an epoch, B batch, N rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.training.batches import Lengths, RowIds, epoch_batches
from tasks.training.examples import Batch


@dataclass(frozen=True, slots=True)
class MemberBatch:
    """One step's rows: tensors [M, B, ...], or [1, B, ...] where all members share them."""

    inputs: dict[str, Tensor]
    labels: Tensor
    teacher: Tensor | None
    shares: Tensor
    """What each row counts in its member's mean; they add up to one."""
    sizes: dict[int, int]
    """Rows of each seed's batch."""
    weights: NDArray[np.float64]
    """How much each member's rows count together, [1] or [M]."""

    @property
    def is_own(self) -> bool:
        """Whether members see different rows."""
        return len(self.labels) > 1


def member_batches(
    rows: Batch, lengths: Lengths, batch_size: int, seeds: Sequence[int], epoch: int
) -> Iterator[MemberBatch]:
    """Batches of one epoch; `seeds` are the members', `rows` all training rows."""
    different = list(dict.fromkeys(seeds))
    plans = [padded(epoch_batches(lengths, batch_size, seed, epoch)) for seed in different]
    ids_KSB = np.stack([ids for ids, _ in plans], axis=1)
    sizes_KS = np.stack([sizes for _, sizes in plans], axis=1)
    of_member = np.array([different.index(seed) for seed in seeds])
    own = slice(0, 1) if len(different) == 1 else of_member
    for ids_SB, sizes_S in zip(ids_KSB, sizes_KS, strict=True):
        width = int(sizes_S.max())
        sizes = dict(zip(different, sizes_S.tolist(), strict=True))
        yield _taken(rows, ids_SB[own, :width], sizes_S[own], sizes)


def padded(batches: Sequence[RowIds]) -> tuple[RowIds, NDArray[np.int64]]:
    """Ids [K, B] of batches of nearly one size, the shorter ones filled up, and their sizes [K]."""
    sizes = np.array([len(batch) for batch in batches])
    order = np.concatenate(batches)
    starts = np.cumsum(sizes) - sizes
    at_KB = np.minimum(starts[:, None] + np.arange(sizes.max()), len(order) - 1)
    return order[at_KB], sizes


def _taken(
    rows: Batch, ids_MB: RowIds, sizes_M: NDArray[np.int64], sizes: dict[int, int]
) -> MemberBatch:
    shape, ids = ids_MB.shape, torch.from_numpy(ids_MB.ravel()).to(rows.labels.device)

    def of(values: Tensor) -> Tensor:
        return values.index_select(0, ids).view(*shape, *values.shape[1:])

    counts_MB = torch.from_numpy(np.arange(shape[1]) < sizes_M[:, None]).to(ids.device).float()
    if rows.weights is not None:
        counts_MB = counts_MB * of(rows.weights)
    totals = counts_MB.sum(1, keepdim=True, dtype=torch.float64)
    return MemberBatch(
        inputs={name: of(values) for name, values in rows.inputs.items()},
        labels=of(rows.labels),
        teacher=None if rows.teacher is None else of(rows.teacher),
        shares=counts_MB / totals.float(),
        sizes=sizes,
        weights=totals[:, 0].cpu().numpy(),
    )
