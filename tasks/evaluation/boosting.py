"""The floor for tables: gradient boosting, by scikit-learn, as tensors that export."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from torch import Tensor

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.estimators.trees import rounded_down
from tasks.evaluation.fitted import Baseline
from tasks.packaging.predictor.table import TableRows
from tasks.training.table_models import table_encoder, text_columns

Trees = list[NDArray[Any]]
_ESTIMATORS = {
    "classification": HistGradientBoostingClassifier,
    "regression": HistGradientBoostingRegressor,
}


def fit_boosting(rows: Rows, dataset: DatasetRef) -> Baseline:
    """Gradient boosting over the columns; a category is its rank by frequency.

    Free text is left out, which the name says: trees over n-grams would be no small floor.
    """
    encoder = table_encoder(dataset, rows.columns)
    numbers = TableRows.load(encoder, Path()).rows(rows.columns)
    estimator = _ESTIMATORS[dataset.task]
    stops_early = dataset.task != "classification" or _can_be_divided(rows.labels)
    model = estimator(early_stopping=stops_early, random_state=0)
    model.fit(numbers, rows.labels, sample_weight=rows.weights)
    trees = [tree.nodes for each_round in model._predictors for tree in each_round]
    weights = tree_tensors(trees)
    weights["bias"] = _bias(model, dataset.num_outputs)
    config = {
        "num_classes": dataset.num_outputs,
        "trees": len(trees),
        "nodes": weights["value"].shape[1],
        "depth": max(int(nodes["depth"].max()) for nodes in trees),
    }
    return Baseline(
        name="boosting-without-text" if text_columns(dataset) else "boosting",
        family="tree_ensemble",
        config=config,
        encoder=encoder,
        encoder_files={},
        weights=weights,
    )


def _can_be_divided(labels: NDArray[Any]) -> bool:
    """Whether the tenth by which scikit-learn stops early can hold every class, as it demands."""
    counts = np.unique(labels, return_counts=True)[1]
    return bool(counts.min() >= 2 and len(labels) >= 10 * len(counts))


def tree_tensors(trees: Trees) -> dict[str, Tensor]:
    """Feature, children, threshold and value of every node; a leaf is its own child."""
    shape = (len(trees), max(map(len, trees)))
    feature, child = np.zeros(shape, np.int32), np.zeros((*shape, 2), np.int32)
    threshold, value = np.zeros((2, *shape), np.float32)
    for tree, nodes in enumerate(trees):
        size = len(nodes)
        own = np.arange(size)
        is_leaf = nodes["is_leaf"].astype(bool)
        feature[tree, :size] = np.where(is_leaf, 0, nodes["feature_idx"])
        child[tree, :size, 0] = np.where(is_leaf, own, nodes["left"])
        child[tree, :size, 1] = np.where(is_leaf, own, nodes["right"])
        threshold[tree, :size] = rounded_down(np.where(is_leaf, 0.0, nodes["num_threshold"]))
        value[tree, :size] = np.where(is_leaf, nodes["value"], 0.0)
    arrays = {"feature": feature, "child": child, "threshold": threshold, "value": value}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _bias(model: Any, num_outputs: int) -> Tensor:
    start = torch.tensor(np.ravel(model._baseline_prediction), dtype=torch.float32)
    # Of two classes scikit-learn keeps the log odds of the second.
    return torch.cat([torch.zeros(1), start]) if len(start) < num_outputs else start
