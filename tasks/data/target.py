"""What is predicted, by task: the name of a class, or a number."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from tasks.artifacts import Task
from tasks.data.arrow_column import ArrowColumn
from tasks.data.config import DataConfig
from tasks.data.item_target import ItemTarget
from tasks.data.labels import check_classes, check_missing, class_name, read_labels
from tasks.data.table import Mask, Table

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


class Target(Protocol):
    """What reading, splitting and reporting ask of a task."""

    one_answer: bool
    """Whether rows that ask the same have one answer: others contradict it, and all go."""
    least_classes: int
    """How many each side of a given split must have."""

    def read(self, table: Table, config: DataConfig) -> tuple[list[Any], Mask]:
        """The answer of each row, and which rows have none; ValueError for a bad value."""

    def classes(self, labels: Sequence[Any], config: DataConfig, where: str) -> tuple[str, ...]:
        """Names of the classes, if there are any; ValueError when there is nothing to tell."""

    def strata(self, labels: Sequence[Any]) -> list[str]:
        """What each side of the split must have some of."""

    def scale(self, labels: Sequence[Any]) -> tuple[float, float] | None:
        """Mean and deviation of training rows that are learned as standard scores."""

    def figures(self, labels: Sequence[Any], classes: Sequence[str]) -> dict[str, Any]:
        """How the target is distributed, for the report."""


class ClassTarget:
    """The name of a class."""

    one_answer = True
    least_classes = 2

    def read(self, table: Table, config: DataConfig) -> tuple[list[Any], Mask]:
        """Names; numbers as the side of `above` on which they lie, where that is set."""
        names, missing = read_labels(table, config.target, config.above)
        return list(names), missing

    def classes(self, labels: Sequence[Any], config: DataConfig, where: str) -> tuple[str, ...]:
        """All names, sorted: at least two, and not too many."""
        return check_classes(labels, config.target, where)

    def strata(self, labels: Sequence[Any]) -> list[str]:
        """The classes."""
        return list(labels)

    def scale(self, labels: Sequence[Any]) -> None:
        """Names have none."""

    def figures(self, labels: Sequence[Any], classes: Sequence[str]) -> dict[str, Any]:
        """Rows by class."""
        counts = Counter(labels)
        return {"classes": {name: counts[name] for name in classes}}


class NumberTarget:
    """A number."""

    one_answer = False
    least_classes = 1

    def read(self, table: Table, config: DataConfig) -> tuple[list[Any], Mask]:
        """Finite numbers."""
        numbers, missing = read_numbers(table, config.target)
        return list(numbers), missing

    def classes(self, labels: Sequence[Any], config: DataConfig, where: str) -> tuple[str, ...]:
        """None; ValueError when the number is the same in every row."""
        if len(set(labels)) < 2:
            raise ValueError(
                f"{where}: data.target {config.target!r} is {labels[0]:g} in every row, which "
                "leaves nothing to predict"
            )
        return ()

    def strata(self, labels: Sequence[Any]) -> list[str]:
        """One for all."""
        return ["number"] * len(labels)

    def scale(self, labels: Sequence[Any]) -> tuple[float, float]:
        """Of the training rows; a deviation of 1 where all are equal."""
        numbers = np.asarray(labels)
        return float(numbers.mean()), float(numbers.std()) or 1.0

    def figures(self, labels: Sequence[Any], classes: Sequence[str]) -> dict[str, Any]:
        """Smallest, largest, and what lies between."""
        del classes
        quantiles = np.quantile(labels, QUANTILES) if len(labels) else []
        return {"target": [float(value) for value in quantiles]}


class NoTarget:
    """Nothing: the rows themselves are what is learned."""

    one_answer = True
    least_classes = 1

    def read(self, table: Table, config: DataConfig) -> tuple[list[Any], Mask]:
        """An empty label for each row, and none is missing."""
        del config
        return [""] * len(table), np.zeros(len(table), dtype=np.bool_)

    def classes(self, labels: Sequence[Any], config: DataConfig, where: str) -> tuple[str, ...]:
        """None."""
        del labels, config, where
        return ()

    def strata(self, labels: Sequence[Any]) -> list[str]:
        """One for all."""
        return ["text"] * len(labels)

    def scale(self, labels: Sequence[Any]) -> None:
        """There are no numbers."""

    def figures(self, labels: Sequence[Any], classes: Sequence[str]) -> dict[str, Any]:
        """None."""
        del labels, classes
        return {}


TARGETS: dict[Task, Target] = {
    "classification": ClassTarget(),
    "regression": NumberTarget(),
    "ranking": ItemTarget(),
    "generation": NoTarget(),
}


def read_numbers(table: Table, target: str) -> tuple[list[float], Mask]:
    """The number of each row (0 where there is none), and which rows have none.

    Raises `ValueError` for an unknown column, a value that is no finite number, or when more than
    5 % are missing.
    """
    values = table.column(target, "data.target")
    if isinstance(values, ArrowColumn) and values.is_number:
        return _compact_numbers(values, table, target)
    names = [class_name(value) for value in values]
    missing = np.array([name is None or name.lower() == "na" for name in names], dtype=np.bool_)
    check_missing(missing, table, target)
    numbers = [
        0.0 if missing[row] else _number(str(name), table.where(row), target)
        for row, name in enumerate(names)
    ]
    return numbers, missing


def _compact_numbers(values: ArrowColumn, table: Table, target: str) -> tuple[list[float], Mask]:
    numbers, missing = values.numbers(), values.missing()
    check_missing(missing, table, target)
    if (strange := np.isinf(numbers)).any():
        row = int(np.argmax(strange))
        _number(str(numbers[row]), table.where(row), target)
    return np.where(missing, 0.0, numbers).tolist(), missing


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
