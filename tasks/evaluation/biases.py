"""The floor for interactions: damped biases of users and items, or what is popular."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.linear_model import Ridge

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.evaluation.fitted import Baseline
from tasks.packaging.predictor.interactions import InteractionRows
from tasks.training.interaction_models import interaction_encoder, met_files, num_ids

DAMPING = 5.0
"""Rows of the mean that are added to each user and item: what few rows say counts little."""


def fit_interactions(rows: Rows, dataset: DatasetRef) -> Baseline:
    """Biases for a rating, popularity for a ranking."""
    return fit_popularity(rows, dataset) if dataset.task == "ranking" else fit_biases(rows, dataset)


def fit_popularity(rows: Rows, dataset: DatasetRef) -> Baseline:
    """To everybody what most users met, without what he met himself."""
    encoder = interaction_encoder(dataset, rows.columns, 1, {})
    counts = np.bincount(rows.labels, minlength=dataset.num_outputs)
    return Baseline(
        name="popularity",
        family="popularity",
        config={"num_classes": dataset.num_outputs},
        encoder=encoder,
        encoder_files=met_files(encoder, rows.columns, rows.labels),
        weights={"scores": torch.from_numpy(np.log(counts + 0.5).astype(np.float32))},
    )


def fit_biases(rows: Rows, dataset: DatasetRef) -> Baseline:
    """Ridge regression on who rates and what is rated (Koren et al. 2009, equation 3)."""
    encoder = interaction_encoder(dataset, rows.columns, 1, {})
    sizes = num_ids(encoder, dataset)
    ids = InteractionRows.load(encoder, Path()).batch(
        InteractionRows.load(encoder, Path()).rows(rows.columns)
    )
    model = Ridge(alpha=DAMPING, solver="sparse_cg", tol=1e-8)
    met = hstack([_one_hot(ids[n], sizes[f"{n}s"]) for n in ids], format="csr")
    model.fit(met, rows.labels, sample_weight=rows.weights)
    weights = torch.tensor(model.coef_, dtype=torch.float32).unsqueeze(1)
    users = sizes["users"]
    return Baseline(
        name="biases",
        family="bias_model",
        config={"num_classes": 1, **sizes},
        encoder=encoder,
        encoder_files={},
        weights={
            "user_bias.weight": weights[:users].clone(),
            "item_bias.weight": weights[users:].clone(),
            "mean": torch.tensor([model.intercept_], dtype=torch.float32),
        },
    )


def _one_hot(ids: NDArray[np.int64], size: int) -> csr_array:
    """[rows, size] with a 1 at each id; the unknown one, 0, has none and so keeps bias 0."""
    known = np.flatnonzero(ids)
    return csr_array((np.ones(len(known)), (known, ids[known])), shape=(len(ids), size))
