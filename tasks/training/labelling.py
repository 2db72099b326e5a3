"""The teacher's answer to every training row, computed by Ray tasks side by side."""

from pathlib import Path
from typing import Any

import numpy as np
import ray
from numpy.typing import NDArray
from torch import nn

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import split_rows
from tasks.packaging.predictor import Encoder
from tasks.training.answers import logits_of
from tasks.training.batches import RowIds
from tasks.training.config import ComputeConfig
from tasks.training.course import Setting
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.examples import Examples, taken
from tasks.training.job import OnProgress
from tasks.training.model_folder import load_model

PART_ROWS = 2048
"""Rows of one task: large enough to hide its start, small enough for progress."""


def label_training_rows(
    model_folder: Path,
    dataset: DatasetRef,
    dataset_folder: Path,
    compute: ComputeConfig,
    on_progress: OnProgress,
) -> NDArray[np.float32]:
    """Logits [N, C] of the training split, in row order."""
    model, encoder, _ = load_model(model_folder)
    rows = encoder.rows(split_rows(dataset_folder, dataset, "train").columns)
    lengths = [encoder.length(row) for row in rows]
    # Rows of like length stand together in a part, so that little is padded; longest first.
    order = np.argsort(np.asarray(lengths), kind="stable")[::-1]
    parts = [order[start : start + PART_ROWS] for start in range(0, len(order), PART_ROWS)]
    shared = ray.put((model, encoder, compute))
    task = ray.remote(num_cpus=1, max_retries=3)(_label_part)
    pending = {task.remote(shared, taken(rows, part)): part for part in parts}
    logits = np.zeros((len(rows), dataset.num_outputs), dtype=np.float32)
    _gather(pending, logits, on_progress)
    return logits


def _gather(
    pending: dict[Any, RowIds], logits: NDArray[np.float32], on_progress: OnProgress
) -> None:
    """Put each part's answers in its rows of `logits` as they come."""
    done = 0
    while pending:
        ready, _ = ray.wait(list(pending), num_returns=1)
        for reference in ready:
            part = pending.pop(reference)
            logits[part] = ray.get(reference)
            done += len(part)
            on_progress(done, len(logits), f"{done} of {len(logits)} rows")


def _label_part(
    shared: tuple[nn.Module, Encoder, ComputeConfig], rows: list[Any]
) -> NDArray[np.float32]:
    model, encoder, compute = shared
    use_allotted_threads()
    device = choose_device(compute)
    lengths = [encoder.length(row) for row in rows]
    examples = Examples(rows, lengths, np.zeros(len(rows), dtype=np.int64))
    return logits_of(model.to(device.torch_device), encoder, examples, Setting(device))
