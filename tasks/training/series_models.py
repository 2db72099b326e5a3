"""Blueprints of the networks that read series, and the encoder that all of them share."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.artifacts import DatasetRef
from tasks.training.blueprint import Blueprint
from tasks.training.job import Rows
from tasks.training.series_architectures import SeriesCnn, SeriesGru, SeriesLstm, SeriesRnn

LONGEST = 4
"""Times the longest series of training that may still be asked: a guard for memory, not quality."""


def recurrent_series(
    config: SeriesRnn | SeriesLstm | SeriesGru, dataset: DatasetRef, train: Rows
) -> Blueprint:
    """A recurrent network; its cell is the name of the architecture."""
    encoder = series_encoder(dataset, train.columns)
    shape = {
        "num_classes": dataset.num_outputs,
        "channels": num_channels(encoder),
        "cell": config.model.removeprefix("series_"),
        "layers": config.layers,
        "width": config.width,
        "bidirectional": config.bidirectional,
        "pooling": config.pooling,
        "dropout": config.dropout,
    }
    return Blueprint(
        family="recurrent_series", config=shape, inputs=dataset.inputs, encoder=encoder
    )


def series_cnn(config: SeriesCnn, dataset: DatasetRef, train: Rows) -> Blueprint:
    """Convolutions over time."""
    encoder = series_encoder(dataset, train.columns)
    shape = {
        "num_classes": dataset.num_outputs,
        "channels": num_channels(encoder),
        "blocks": config.blocks,
        "width": config.width,
        "dropout": config.dropout,
    }
    return Blueprint(family="series_cnn", config=shape, inputs=dataset.inputs, encoder=encoder)


def series_encoder(dataset: DatasetRef, columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Configuration of the encoder: mean and deviation of each channel of these training rows."""
    longest = max(len(cell) for cell in columns[dataset.inputs[0]])
    return {
        "kind": "series",
        "channels": [_channel(name, columns[name]) for name in dataset.inputs],
        "layout": dataset.layout,
        "max_length": max(1000, LONGEST * longest),
    }


def num_channels(encoder: dict[str, Any]) -> int:
    """Numbers of one step: scores, and for channels with gaps whether one is there."""
    return sum(1 + channel["missing"] for channel in encoder["channels"])


def _channel(name: str, cells: Sequence[Sequence[float | None]]) -> dict[str, Any]:
    values = np.array([value for cell in cells for value in cell], dtype=np.float64)
    known = values[~np.isnan(values)]
    deviation = float(known.std()) if len(known) else 0.0
    return {
        "name": name,
        "mean": float(known.mean()) if len(known) else 0.0,
        "deviation": deviation or 1.0,
        "missing": len(known) < len(values),
    }
