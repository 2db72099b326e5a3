"""Which rows each member learns from at a step: those of its own loop, for all at once.

Members of one seed see the same rows. Batches of one epoch differ by one row at most, and not at
the same steps for each seed: a shorter one is filled up with a row that counts nothing.
Shapes: M members, S seeds, K steps of an epoch, B batch, N rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.training.batches import Lengths, RowIds, epoch_batches
from tasks.training.course import Course
from tasks.training.examples import Batch
from tasks.training.loop import varied


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
    rows: Batch, lengths: Lengths, courses: Sequence[Course], epoch: int
) -> Iterator[MemberBatch]:
    """Batches of one epoch; `courses` are the members', `rows` all training rows.

    Where rows are varied, each seed's are by its own loop's draws; that is done seed by seed.
    """
    of_seed = dict(zip([course.seed for course in courses], courses, strict=True))
    different, size = list(of_seed), courses[0].batch_size
    plans = [padded(epoch_batches(lengths, size, seed, epoch)) for seed in different]
    ids_KSB = np.stack([ids for ids, _ in plans], axis=1)
    sizes_KS = np.stack([sizes for _, sizes in plans], axis=1)
    of_member = np.array([different.index(course.seed) for course in courses])
    own = np.zeros(1, np.int64) if len(different) == 1 else of_member
    first = epoch * len(ids_KSB)
    for step, (ids_SB, sizes_S) in enumerate(zip(ids_KSB, sizes_KS, strict=True), first):
        width = int(sizes_S.max())
        sizes = dict(zip(different, sizes_S.tolist(), strict=True))
        if courses[0].augment is None:
            yield _taken(rows, ids_SB[own, :width], sizes_S[own], sizes)
        else:
            own_ids = [each[:count] for each, count in zip(ids_SB, sizes_S, strict=True)]
            yield _varied(rows, own_ids, step, of_seed, own)


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


def _varied(
    rows: Batch,
    ids_S: Sequence[RowIds],
    step: int,
    of_seed: Mapping[int, Course],
    own: NDArray[np.int64],
) -> MemberBatch:
    """One batch a seed as its own loop varies it, filled up and handed to that seed's members."""
    before = [_rows_of(rows, ids) for ids in ids_S]
    pairs = zip(before, of_seed.values(), ids_S, strict=True)
    batches = [varied(batch, course, step, ids) for batch, course, ids in pairs]
    width = max(len(ids) for ids in ids_S)
    place = torch.from_numpy(own).to(rows.labels.device)

    def of(parts: Sequence[Tensor]) -> Tensor:
        filled = [torch.cat([part, part[:1]]) if len(part) < width else part for part in parts]
        return torch.stack(filled).index_select(0, place)

    # Mixed rows have mixed weights; what they are divided by is the sum before that.
    totals_S = np.array([float(_counts(batch).double().sum()) for batch in before])
    shares = [_counts(batch) / total for batch, total in zip(batches, totals_S, strict=True)]
    shares = [torch.cat([each, each.new_zeros(width - len(each))]) for each in shares]
    teachers = [batch.teacher for batch in batches if batch.teacher is not None]
    return MemberBatch(
        inputs={name: of([batch.inputs[name] for batch in batches]) for name in rows.inputs},
        labels=of([batch.labels for batch in batches]),
        teacher=of(teachers) if teachers else None,
        shares=torch.stack(shares).index_select(0, place),
        sizes=dict(zip(of_seed, map(len, ids_S), strict=True)),
        weights=totals_S[own],
    )


def _counts(batch: Batch) -> Tensor:
    """How much each row counts, [B]."""
    if batch.weights is not None:
        return batch.weights
    return torch.ones(len(batch), device=batch.labels.device)


def _rows_of(rows: Batch, ids: RowIds) -> Batch:
    at = torch.from_numpy(ids).to(rows.labels.device)
    return Batch(
        inputs={name: values[at] for name, values in rows.inputs.items()},
        labels=rows.labels[at],
        teacher=None if rows.teacher is None else rows.teacher[at],
        weights=None if rows.weights is None else rows.weights[at],
    )
