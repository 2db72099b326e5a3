"""The floor for pictures: histograms of oriented gradients and logistic regression."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from models.hog_linear import hog
from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.estimators.features import hog_encoder
from tasks.evaluation.fitted import Baseline
from tasks.packaging.predictor.image import ImageRows

PIECE = 512
"""Pictures at once; keeps memory flat."""


def fit_hog(rows: Rows, dataset: DatasetRef) -> Baseline:
    """HOG features and a multinomial logistic regression; ridge regression of numbers."""
    encoder, cell = hog_encoder(dataset, rows.columns)
    model = fit_linear(hog_features(encoder, rows, cell), rows, dataset)
    weights_CF = torch.tensor(np.atleast_2d(model.coef_)).float()
    bias_C = torch.tensor(np.atleast_1d(model.intercept_)).float()
    if len(bias_C) < dataset.num_outputs:  # of two classes scikit-learn keeps the second's log odds
        weights_CF = torch.cat([torch.zeros_like(weights_CF), weights_CF])
        bias_C = torch.cat([torch.zeros_like(bias_C), bias_C])
    shape = {"num_classes": len(bias_C), "size": encoder["size"], "cell": cell}
    return Baseline(
        name="hog-logreg" if dataset.task == "classification" else "hog-ridge",
        family="hog_linear",
        config=shape,
        encoder=encoder,
        encoder_files={},
        weights={"head.weight": weights_CF, "head.bias": bias_C},
    )


def hog_features(encoder: dict[str, Any], rows: Rows, cell: int) -> NDArray[np.float32]:
    """[rows, features] of all pictures."""
    images = ImageRows.load(encoder, Path())
    encoded = images.rows(rows.columns)
    found = []
    for start in range(0, len(encoded), PIECE):
        pixels = torch.from_numpy(images.batch(encoded[start : start + PIECE])["pixels"])
        found.append(hog(pixels, cell).numpy())
    features: NDArray[np.float32] = np.concatenate(found)
    return features


def fit_linear(
    features: NDArray[np.float32], rows: Rows, dataset: DatasetRef
) -> LogisticRegression | Ridge:
    """The estimator that the baseline is made of."""
    if dataset.task == "regression":
        return Ridge(alpha=1.0).fit(features, rows.labels, sample_weight=rows.weights)
    model = LogisticRegression(C=10.0, max_iter=1000)
    return model.fit(features, rows.labels, sample_weight=rows.weights)
