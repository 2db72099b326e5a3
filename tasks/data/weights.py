"""How much each row counts when something is learned: its own weight, times that of its class.

Only losses and fits listen to them. Metrics, intervals and the gate count every row once: a weight
says what a mistake costs in training, not how good the model is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.data.config import DataConfig
from tasks.data.table import Table

Weights = NDArray[np.float64]


def read_weights(table: Table, column: str) -> Weights:
    """How much each row counts; ValueError for what is no finite number from 0."""
    values = table.column(column, "data.weight")
    found = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            found[row] = float(value)
        except (TypeError, ValueError):
            found[row] = np.nan
        if not 0 <= found[row] < np.inf:
            raise ValueError(
                f"{table.where(row)}: data.weight {column!r} is {value!r:.40}, a finite number "
                "from 0 was expected"
            )
    return found


def check_weight_column(config: DataConfig, inputs: Sequence[str]) -> None:
    """Pass when the column of weights has no other part to play; ValueError otherwise."""
    for field, names in {"target": [config.target], "inputs": inputs}.items():
        if config.weight in names:
            raise ValueError(
                f"data.weight {config.weight!r} stands in data.{field} too: it says how much a row "
                "counts, and is never learned from"
            )


def class_weights_of(
    asked: str | Mapping[str, float] | None, training: Sequence[str], classes: Sequence[str]
) -> dict[str, float]:
    """The weight of each class, empty when all count alike; `training` are the training labels.

    `balanced`: rows / (classes * rows of the class), as scikit-learn's `compute_class_weight`.
    Raises ValueError for a class that is not there.
    """
    if asked is None:
        return {}
    if isinstance(asked, Mapping):
        strange = [name for name in asked if name not in classes]
        if strange:
            raise ValueError(
                f"data.class_weights {strange[0]!r} is no class, allowed: {', '.join(classes)}"
            )
        return {name: asked.get(name, 1.0) for name in classes}
    counts = Counter(training)
    return {name: len(training) / (len(classes) * counts[name]) for name in classes}


def combined(
    own: Weights | None, labels: NDArray[np.int64], of_class: Sequence[float]
) -> Weights | None:
    """The weight of each row of these classes, None when all count alike."""
    if not of_class:
        return own
    weights = np.asarray(of_class, dtype=np.float64)[labels]
    return weights if own is None else weights * own
