"""A report from a candidate's answers, and the rows that latency is measured on."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.artifacts import Candidate, Cost, DatasetRef, EvalReport, Split
from tasks.data.snapshot import Rows, split_rows
from tasks.evaluation.intervals import intervals_of
from tasks.evaluation.metrics import confusion_of, quality_of

LATENCY_ROWS = 200


def latency_rows(data: Path, dataset: DatasetRef) -> Rows:
    """The same 200 validation rows every time, spread evenly; all of a small split."""
    rows = split_rows(data, dataset, "valid")
    count = min(LATENCY_ROWS, len(rows))
    return rows.take(np.linspace(0, len(rows) - 1, count).round().astype(np.int64))


def report_of(
    candidate: Candidate,
    cost: Cost,
    rows: Rows,
    classes: tuple[str, ...],
    answers: tuple[NDArray[np.float32], str],
    split: Split,
) -> EvalReport:
    """All figures of one candidate on one split; `answers` are probabilities and their address."""
    probabilities, uri = answers
    confusion = confusion_of(probabilities, rows.labels)
    seen_once = split == "test"
    return EvalReport(
        candidate=candidate,
        split=split,
        rows=len(rows),
        metrics=quality_of(probabilities, rows.labels, classes),
        intervals=intervals_of(probabilities, rows.labels, confusion) if seen_once else {},
        confusion=confusion,
        predictions_uri=uri,
        cost=cost,
    )


def prediction_prefix(bundle_sha256: str, dataset_sha256: str, split: Split) -> str:
    """Where the answers of a bundle to a split are kept: nothing else decides them."""
    key = hashlib.sha256(f"{bundle_sha256} {dataset_sha256} {split}".encode()).hexdigest()
    return f"predictions/{key}"
