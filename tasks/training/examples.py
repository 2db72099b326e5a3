"""Labelled rows, encoded and ready to be batched."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.packaging.predictor import Encoder, ragged_names
from tasks.training.absent import is_labelled
from tasks.training.batches import Lengths, RowIds

LENGTH_STEP = 8
"""Batches are as wide as a multiple of this: oneDNN keeps its kernels for every shape that it
meets, and a worker grew by 13 MB a step to over 2 GB before shapes were few."""

Columns = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Examples:
    """Encoded rows of one split, with labels and, for a distillation, the teacher's logits."""

    rows: Any
    """One item for each row, as the encoder made them."""
    lengths: Lengths
    labels: NDArray[Any]
    """Index into the dataset's classes, or standard scores, [N]."""
    teacher: NDArray[np.float32] | None = None
    """Logits, [N, C]."""
    weights: NDArray[np.float32] | None = None
    """How much each row counts, [N]; None: all alike."""

    def __len__(self) -> int:
        return len(self.rows)

    def weight_of(self, ids: RowIds) -> float:
        """How much the rows of these positions count together."""
        return len(ids) if self.weights is None else float(self.weights[ids].sum(dtype=np.float64))

    def take(self, ids: RowIds) -> "Examples":
        """The rows of these positions, in this order."""
        teacher = None if self.teacher is None else self.teacher[ids]
        weights = None if self.weights is None else self.weights[ids]
        rows, lengths = taken(self.rows, ids), taken(self.lengths, ids)
        return Examples(rows, lengths, self.labels[ids], teacher, weights)


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch on a device; `inputs` are the model's keyword arguments."""

    inputs: dict[str, Tensor]
    labels: Tensor
    teacher: Tensor | None
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)


def taken(items: Any, ids: RowIds) -> Any:
    """The items at these positions: a list of a list, an array of an array."""
    if isinstance(items, np.ndarray):
        return items.take(ids, axis=0)  # a seventh of the time of items[ids] for short rows
    return [items[index] for index in ids]


def encode(
    encoder: Encoder,
    columns: Columns,
    labels: NDArray[Any],
    teacher: NDArray[np.float32] | None = None,
    weights: NDArray[Any] | None = None,
) -> Examples:
    """Rows as the encoder sees them."""
    rows = encoder.rows(columns)
    lengths = np.fromiter(map(encoder.length, rows), dtype=np.int64, count=len(rows))
    weights = None if weights is None else weights.astype(np.float32)
    return Examples(rows, lengths, labels, teacher, weights)


def drawn_rows(labels: NDArray[Any], max_rows: int | None, seed: int) -> RowIds:
    """`stratified_rows` of those with a label, and the same share of those without, behind them."""
    known = is_labelled(labels)
    if known.all():
        return stratified_rows(labels, max_rows, seed)
    own, others = np.flatnonzero(known), np.flatnonzero(~known)
    chosen = own[stratified_rows(labels[own], max_rows, seed)]
    count = round(len(others) * len(chosen) / len(own))
    return np.concatenate([chosen, others[stratified_rows(labels[others], count, seed)]])


def stratified_rows(labels: NDArray[Any], max_rows: int | None, seed: int) -> RowIds:
    """Positions of at most `max_rows` rows, each class with its share, in row order."""
    if max_rows is None or max_rows >= len(labels):
        return np.arange(len(labels))
    random = np.random.default_rng((seed, len(labels)))
    shuffled = random.permutation(len(labels))
    # Sorted by (relative place within its class), any prefix holds the classes in proportion.
    place = np.empty(len(labels))
    strata = labels if np.issubdtype(labels.dtype, np.integer) else np.zeros(len(labels))
    for label in np.unique(strata):
        members = shuffled[strata[shuffled] == label]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    chosen: RowIds = np.sort(np.argsort(place, kind="stable")[:max_rows])
    return chosen


def make_batch(encoder: Encoder, examples: Examples, device: torch.device) -> Batch:
    """Padded tensors; through pinned memory when the device is CUDA."""
    teacher, weights = examples.teacher, examples.weights
    arrays = _rounded_up(encoder, encoder.batch(examples.rows), examples.lengths)
    return Batch(
        inputs={name: _to_device(array, device) for name, array in arrays.items()},
        labels=_to_device(_labels(encoder, arrays, examples), device),
        teacher=None if teacher is None else _to_device(teacher, device),
        weights=None if weights is None else _to_device(weights, device),
    )


def _labels(encoder: Encoder, arrays: dict[str, NDArray[Any]], examples: Examples) -> NDArray[Any]:
    """The rows' labels; of a language model the token after each, [B, T]."""
    targets = getattr(encoder, "targets", None)
    return examples.labels if targets is None else np.asarray(targets(arrays))


def _rounded_up(
    encoder: Encoder, arrays: dict[str, NDArray[Any]], lengths: Lengths
) -> dict[str, NDArray[Any]]:
    """Ragged arrays, padded on to a multiple of LENGTH_STEP; zero is padding for every encoder."""
    if not encoder.ragged_axes:
        return arrays
    found = np.asarray(lengths)
    longest = int(found.max())
    extra = -longest % LENGTH_STEP
    if extra == 0 or found.min() == longest:
        return arrays
    ragged = {n for n in ragged_names(encoder) if arrays[n].shape[1] == longest}
    return {
        name: np.pad(array, ((0, 0), (0, extra), *[(0, 0)] * (array.ndim - 2)))
        if name in ragged
        else array
        for name, array in arrays.items()
    }


def _to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor
