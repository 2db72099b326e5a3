"""What is predicted: the name of a class, or of a regression a number."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.data.config import DataConfig
from tasks.data.labels import check_classes, check_missing, class_name, read_labels
from tasks.data.table import Mask, Table

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


def read_target(table: Table, config: DataConfig) -> tuple[list[Any], Mask]:
    """The class or number of each row, and which rows have none; ValueError for a bad value."""
    if config.task == "regression":
        return read_numbers(table, config.target)
    return read_labels(table, config.target, config.above)


def classes_of(labels: Sequence[Any], config: DataConfig, where: str) -> tuple[str, ...]:
    """Names of the classes, of a regression none; ValueError when there is nothing to tell."""
    if config.task == "classification":
        return check_classes(labels, config.target, where)
    if len(set(labels)) < 2:
        raise ValueError(
            f"{where}: data.target {config.target!r} is {labels[0]:g} in every row, which leaves "
            "nothing to predict"
        )
    return ()


def strata_of(labels: Sequence[Any], config: DataConfig) -> list[str]:
    """What each side of the split must have some of: the classes, where there are any."""
    return list(labels) if config.task == "classification" else ["number"] * len(labels)


def target_figures(
    labels: Sequence[Any], config: DataConfig, classes: Sequence[str]
) -> dict[str, Any]:
    """How the target is distributed, for the report."""
    if config.task == "regression":
        quantiles = np.quantile(labels, QUANTILES) if len(labels) else []
        return {"target": [float(value) for value in quantiles]}
    counts = Counter(labels)
    return {"classes": {name: counts[name] for name in classes}}


def read_numbers(table: Table, target: str) -> tuple[list[float], Mask]:
    """The number of each row (0 where there is none), and which rows have none.

    Raises `ValueError` for an unknown column, a value that is no finite number, or when more than
    5 % are missing.
    """
    names = [class_name(value) for value in table.column(target, "data.target")]
    missing = np.array([name is None or name.lower() == "na" for name in names], dtype=np.bool_)
    check_missing(missing, table, target)
    numbers = [
        0.0 if missing[row] else _number(str(name), table.where(row), target)
        for row, name in enumerate(names)
    ]
    return numbers, missing


def _number(name: str, where: str, target: str) -> float:
    try:
        number = float(name)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(
            f"{where}: data.target {target!r} is {name!r:.40}, task regression takes finite numbers"
        )
    return number
