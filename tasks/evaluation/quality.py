"""A report from a candidate's answers, and the rows that latency is measured on."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from tasks.artifacts import Candidate, Cost, DatasetRef, EvalReport, Split
from tasks.data.snapshot import Rows, read_split
from tasks.evaluation.metrics import confusion_of, quality_of
from tasks.packaging.manifest import digest_of_files, write_manifest

LATENCY_ROWS = 200
PREDICTIONS = "predictions.safetensors"


def rows_of(data: Path, dataset: DatasetRef, split: Split) -> Rows:
    """One split of the dataset."""
    return read_split(data, split, dataset.inputs, dataset.target, dataset.classes)


def latency_rows(data: Path, dataset: DatasetRef) -> Rows:
    """The same 200 validation rows every time, spread evenly; all of a small split."""
    rows = rows_of(data, dataset, "valid")
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
    return EvalReport(
        candidate=candidate,
        split=split,
        rows=len(rows),
        metrics=quality_of(probabilities, rows.labels, classes),
        confusion=confusion_of(probabilities, rows.labels),
        predictions_uri=uri,
        cost=cost,
    )


def save_predictions(folder: Path, probabilities: NDArray[np.float32]) -> str:
    """Fill a folder with class probabilities in row order; its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"probabilities": np.ascontiguousarray(probabilities)}, folder / PREDICTIONS)
    digest = digest_of_files(folder, [PREDICTIONS])
    write_manifest(folder, digest)
    return digest


def load_predictions(folder: Path) -> NDArray[np.float32]:
    """Class probabilities in row order."""
    probabilities: NDArray[np.float32] = load_file(folder / PREDICTIONS)["probabilities"]
    return probabilities


def prediction_prefix(bundle_sha256: str, dataset_sha256: str, split: Split) -> str:
    """Where the answers of a bundle to a split are kept: nothing else decides them."""
    key = hashlib.sha256(f"{bundle_sha256} {dataset_sha256} {split}".encode()).hexdigest()
    return f"predictions/{key}"
