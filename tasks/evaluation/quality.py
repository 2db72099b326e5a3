"""A report from a candidate's answers, and the rows that latency is measured on."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.artifacts import Candidate, Cost, DatasetRef, EvalReport, Split, Task
from tasks.data.snapshot import Rows, split_rows
from tasks.evaluation.intervals import Interval, intervals_of
from tasks.evaluation.likelihood import text_figures
from tasks.evaluation.metrics import confusion_of, quality_of
from tasks.evaluation.recommended import item_figures, truth_of
from tasks.evaluation.regression import number_figures

LATENCY_ROWS = 200


def latency_rows(data: Path, dataset: DatasetRef) -> Rows:
    """The same 200 validation rows every time, spread evenly; all of a small split."""
    return split_rows(data, dataset, "valid").spread(LATENCY_ROWS)


def report_of(
    candidate: Candidate,
    cost: Cost,
    rows: Rows,
    dataset: DatasetRef,
    answers: tuple[NDArray[np.float32], str],
    split: Split,
) -> EvalReport:
    """All figures of one candidate on one split; `answers` are what it said and their address."""
    found, uri = answers
    metrics, intervals, confusion = FIGURES[dataset.task](
        found, truth_of(rows, dataset), dataset.classes
    )
    return EvalReport(
        candidate=candidate,
        split=split,
        rows=len(rows),
        metrics=metrics,
        intervals=intervals if split == "test" else {},
        confusion=confusion,
        predictions_uri=uri,
        cost=cost,
    )


def class_figures(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: Sequence[str]
) -> tuple[dict[str, float], dict[str, Interval], tuple[tuple[int, ...], ...]]:
    """Figures of named classes, their intervals, and who was taken for whom."""
    confusion = confusion_of(probabilities, labels)[: len(classes)]
    intervals = intervals_of(probabilities, labels, confusion, classes)
    return quality_of(probabilities, labels, classes), intervals, confusion


Figures = tuple[dict[str, float], dict[str, Interval], tuple[tuple[int, ...], ...]]
FIGURES: dict[Task, Callable[[NDArray[Any], NDArray[Any], Sequence[str]], Figures]] = {
    "classification": class_figures,
    "regression": number_figures,
    "ranking": item_figures,
    "generation": text_figures,
}
"""From answers, truth and names of classes: metrics, their intervals, who was taken for whom."""


def prediction_prefix(bundle_sha256: str, dataset_sha256: str, split: Split) -> str:
    """Where the answers of a bundle to a split are kept: nothing else decides them."""
    key = hashlib.sha256(f"{bundle_sha256} {dataset_sha256} {split}".encode()).hexdigest()
    return f"predictions/{key}"
