"""The floor for series: statistics of each channel, and a linear model over them."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from models.series_statistics import statistics_of
from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.evaluation.fitted import Baseline
from tasks.packaging.predictor.series import SeriesRows
from tasks.training.series_models import num_channels, series_encoder

PART_ROWS = 256
Numbers = NDArray[np.float64]


def fit_statistics(rows: Rows, dataset: DatasetRef) -> Baseline:
    """Logistic regression, or ridge regression for numbers, over standardised statistics."""
    encoder = series_encoder(dataset, rows.columns)
    features = series_features(SeriesRows.load(encoder, Path()), rows)
    return Baseline(
        name="statistics-logreg" if dataset.classes else "statistics-ridge",
        family="series_statistics",
        config={"num_classes": dataset.num_outputs, "channels": num_channels(encoder)},
        encoder=encoder,
        encoder_files={},
        weights=linear_head(features, rows, dataset),
    )


def linear_head(features: Numbers, rows: Rows, dataset: DatasetRef) -> dict[str, torch.Tensor]:
    """Weights of a linear layer over features [rows, F], fitted on their standard scores."""
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation[deviation < 1e-6] = 1.0
    if dataset.classes:
        model = LogisticRegression(C=1.0, max_iter=2000, random_state=0)
    else:
        model = Ridge(alpha=1.0)
    model.fit((features - mean) / deviation, rows.labels, sample_weight=rows.weights)
    weight, bias = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    if len(dataset.classes) == 2:  # one row of weights, the log odds of the second class
        weight = np.concatenate([np.zeros_like(weight), weight])
        bias = np.concatenate([np.zeros_like(bias), bias])
    # The scaling goes into the weights: the graph needs none.
    weight = weight / deviation
    bias = bias - weight @ mean
    return {
        "head.weight": torch.tensor(weight, dtype=torch.float32),
        "head.bias": torch.tensor(bias, dtype=torch.float32),
    }


def series_features(encoder: SeriesRows, rows: Rows) -> Numbers:
    """What the graph draws from each row, [rows, F]."""
    encoded = encoder.rows(rows.columns)
    found = []
    for start in range(0, len(encoded), PART_ROWS):
        batch = encoder.batch(encoded[start : start + PART_ROWS])
        values, mask = (torch.from_numpy(batch[name]) for name in encoder.names)
        found.append(statistics_of(values, mask).numpy().astype(np.float64))
    return np.concatenate(found)
