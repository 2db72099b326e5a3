"""The floor for sounds: statistics of cepstral coefficients, and a linear model over them."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.mfcc_statistics import mfcc_statistics
from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.evaluation.fitted import Baseline
from tasks.evaluation.statistics_logreg import linear_head
from tasks.packaging.predictor.audio import AudioRows
from tasks.training.audio_models import audio_encoder

COEFFICIENTS = 20
PART_ROWS = 64
Numbers = NDArray[np.float64]


def fit_mfcc(rows: Rows, dataset: DatasetRef) -> Baseline:
    """Logistic regression, or ridge regression for numbers, over standardised statistics."""
    encoder = audio_encoder(dataset, rows.columns)
    coefficients = min(COEFFICIENTS, encoder["mels"])
    features = mfcc_features(AudioRows.load(encoder, Path()), rows, coefficients)
    return Baseline(
        name="mfcc-logreg" if dataset.classes else "mfcc-ridge",
        family="mfcc_statistics",
        config={
            "num_classes": dataset.num_outputs,
            "mels": encoder["mels"],
            "coefficients": coefficients,
        },
        encoder=encoder,
        encoder_files={},
        weights=linear_head(features, rows, dataset),
    )


def mfcc_features(encoder: AudioRows, rows: Rows, coefficients: int) -> Numbers:
    """What the graph draws from each row, [rows, F]."""
    encoded = encoder.rows(rows.columns)
    found = []
    for start in range(0, len(encoded), PART_ROWS):
        batch = encoder.batch(encoded[start : start + PART_ROWS])
        mels, mask = (torch.from_numpy(batch[name]) for name in encoder.names)
        found.append(mfcc_statistics(mels, mask, coefficients).numpy().astype(np.float64))
    return np.concatenate(found)
