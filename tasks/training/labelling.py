"""The teacher's answer to every row, computed by Ray tasks side by side."""

from pathlib import Path
from typing import Any

import numpy as np
import ray
from numpy.typing import NDArray
from torch import nn

from tasks.artifacts import Task
from tasks.costs.meter import answer_of, measured
from tasks.packaging.predictor import Encoder
from tasks.training.answers import logits_of
from tasks.training.batches import RowIds
from tasks.training.config import ComputeConfig
from tasks.training.course import Setting
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.examples import Columns, Examples, taken
from tasks.training.hints import show_features
from tasks.training.job import OnProgress
from tasks.training.model_folder import load_model
from tasks.training.objectives import kept_for_students

TAUGHT_ROWS = 0.99
"""Share of the rows whose every token a language model's teacher answers; of the others the first.
"""
PART_ROWS = 2048
"""Rows of one task: large enough to hide its start, small enough for progress."""


def answers_to(
    columns: Columns,
    model_folder: Path,
    task: Task,
    compute: ComputeConfig,
    on_progress: OnProgress,
    with_features: bool = False,
) -> NDArray[np.float32]:
    """Logits [N, C] of the rows in their order, or what students are given of them.

    `with_features`: [N, C + D], what the teacher's head read behind what it said.
    """
    model, encoder, _ = load_model(model_folder)
    rows = encoder.rows(columns)
    lengths = [encoder.length(row) for row in rows]
    # Rows of like length stand together in a part, so that little is padded; longest first.
    order = np.argsort(np.asarray(lengths), kind="stable")[::-1]
    parts = [order[start : start + PART_ROWS] for start in range(0, len(order), PART_ROWS)]
    # A width that a few long rows decide would be padding for all others.
    width = int(np.quantile(lengths, TAUGHT_ROWS, method="higher"))
    shared = ray.put((model, encoder, compute, task, width, with_features))
    label = ray.remote(num_cpus=1, max_retries=3)(measured(_label_part))
    pending = {label.remote(shared, taken(rows, part)): part for part in parts}
    return _gathered(pending, len(rows), on_progress)


def _gathered(
    pending: dict[Any, RowIds], rows: int, on_progress: OnProgress
) -> NDArray[np.float32]:
    """The answers of all parts, each put in its rows as it comes."""
    done, logits = 0, np.zeros((0, 0), dtype=np.float32)
    while pending:
        ready, _ = ray.wait(list(pending), num_returns=1)
        for reference in ready:
            part = pending.pop(reference)
            found = answer_of(ray.get(reference))
            logits = logits if done else np.zeros((rows, found.shape[1]), dtype=np.float32)
            logits[part] = found
            done += len(part)
            on_progress(done, rows, f"{done} of {rows} rows")
    return logits


def _label_part(
    shared: tuple[nn.Module, Encoder, ComputeConfig, Task, int, bool], rows: list[Any]
) -> NDArray[np.float32]:
    model, encoder, compute, task, width, with_features = shared
    use_allotted_threads()
    if with_features:
        show_features(model)
    device = choose_device(compute)
    lengths = [encoder.length(row) for row in rows]
    examples = Examples(rows, lengths, np.zeros(len(rows), dtype=np.int64))
    setting, kept = Setting(device), kept_for_students(task, width)
    return logits_of(model.to(device.torch_device), encoder, examples, setting, kept)
