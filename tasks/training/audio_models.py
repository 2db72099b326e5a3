"""Blueprints of the networks that hear sounds, and the encoder that all of them share."""

from pathlib import Path
from typing import Any

import numpy as np

from tasks.artifacts import DatasetRef
from tasks.packaging.predictor.audio import AudioRows
from tasks.training.audio_architectures import AudioCnn
from tasks.training.blueprint import Blueprint
from tasks.training.job import Rows

MEASURED = 1000
"""Sounds from which the mean is taken, spread evenly."""


def audio_cnn(config: AudioCnn, dataset: DatasetRef, train: Rows) -> Blueprint:
    """Convolutions, pooled over time."""
    encoder = audio_encoder(dataset, train.columns)
    shape = {
        "num_classes": dataset.num_outputs,
        "mels": encoder["mels"],
        "widths": config.widths,
        "dropout": config.dropout,
    }
    return Blueprint(family="audio_cnn", config=shape, inputs=dataset.inputs, encoder=encoder)


def audio_encoder(dataset: DatasetRef, columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Configuration of the encoder: the mean over frames and bands of these training sounds."""
    (column,) = dataset.inputs
    about = {"kind": "audio", "column": column, **dataset.audio, "mean": 0.0}
    cells = columns[column]
    chosen = np.linspace(0, len(cells) - 1, min(len(cells), MEASURED)).round().astype(int)
    heard = AudioRows.load(about, Path()).rows({column: [cells[row] for row in chosen]})
    total = sum(float(frames.sum(dtype=np.float64)) for frames in heard)
    return about | {"mean": round(total / sum(frames.size for frames in heard), 4)}
