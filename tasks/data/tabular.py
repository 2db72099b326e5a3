"""What is particular to rows of a table: the type of each column, and which of them help."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tasks.data.columns import MOST_DISTINCT, idle_columns
from tasks.data.config import DataConfig
from tasks.data.table import Ids, Mask, Table, shortened
from tasks.data.text import MIN_MEAN_WORDS
from tasks.packaging.predictor.table import (
    PARSERS,
    category_of,
    is_empty,
    truth_of,
)

Columns = Mapping[str, Sequence[Any]]


class TableKind:
    """Rows with many columns of several types."""

    name = "table"
    drops_equal_rows = False
    """Two flights may look alike and end otherwise: that is chance, not a mistake."""
    why = "no column of free text"
    why_inputs = "every column that is neither constant, nor a copy, nor a name"

    def choose_inputs(self, table: Table, target: str) -> tuple[str, ...]:
        """Every column that can help; ValueError when there is none."""
        others = {name: table.columns[name] for name in table.names if name != target}
        idle = idle_columns(others, type_of)
        kept = tuple(name for name in others if name not in idle)
        if not kept:
            raise ValueError(
                f"data.inputs: {table.path.name} has no column to predict {target!r} from "
                f"(columns: {shortened(table.names)})"
            )
        return kept

    def check_inputs(self, table: Table, inputs: Sequence[str]) -> None:
        """Pass when every cell is a plain value; ValueError otherwise."""
        for name in inputs:
            for row, value in enumerate(table.columns[name]):
                if isinstance(value, list | dict | bytes):
                    raise ValueError(
                        f"{table.where(row)}: data.inputs {name!r} is {value!r:.40}, "
                        "a number, a date or a word was expected"
                    )

    def opened(self, table: Table, config: DataConfig) -> Table:
        """The table as it is: its cells hold the values themselves."""
        del config
        return table

    def types(self, columns: Columns, given: Mapping[str, str]) -> dict[str, str]:
        """The type of each column: what the project says, else what all its cells can be."""
        types = {name: given.get(name) or type_of(values) for name, values in columns.items()}
        if set(types.values()) == {"text"}:
            raise ValueError(
                f"data.inputs {', '.join(types)}: all is free text, data.kind: text reads that"
            )
        return types

    def typed(self, columns: Columns, types: Mapping[str, str]) -> dict[str, list[Any]]:
        """The cells as values of their type, None where nothing stands.

        Raises ValueError for a cell that is not of the type that the project gave.
        """
        return {name: _typed(name, values, types[name]) for name, values in columns.items()}

    def unusable(self, columns: Columns) -> dict[str, Mask]:
        """Rows to drop, by reason: those in which nothing stands."""
        empty = [[is_empty(value) for value in values] for values in columns.values()]
        return {"empty row": np.logical_and.reduce(empty)}

    def keys(self, columns: Columns) -> list[str]:
        """What a row is, as a string."""
        return ["\x1f".join(map(str, row)) for row in zip(*columns.values(), strict=True)]

    def near_duplicates(self, columns: Columns) -> Ids:
        """A group number for each row; equal rows share one."""
        number: dict[str, int] = {}
        return np.array([number.setdefault(key, len(number)) for key in self.keys(columns)])

    def figures(self, columns: Columns) -> dict[str, Any]:
        """Type, missing share and number of different values of each column."""
        return {name: _figures(values) for name, values in columns.items()}


def type_of(values: Sequence[Any]) -> str:
    """The first type that all cells can be; words that hardly repeat are text if they are many."""
    type_ = next(name for name, parse in PARSERS.items() if _can_be(values, parse))
    return "text" if type_ == "category" and _is_free_text(values) else type_


def _is_free_text(values: Sequence[Any]) -> bool:
    texts = [value for value in values if isinstance(value, str) and not is_empty(value)]
    words = sum(len(text.split()) for text in texts)
    return (
        len(set(texts)) > MOST_DISTINCT * len(values) and words >= MIN_MEAN_WORDS * len(texts) > 0
    )


def _can_be(values: Sequence[Any], parse: Callable[[Any], Any]) -> bool:
    if parse is truth_of and not any(isinstance(v, bool | str) for v in values):
        return False  # 0 and 1 are numbers, unless they were written as words
    if parse is truth_of and not any(str(v).strip().lower() in ("true", "false") for v in values):
        return False
    try:
        for value in values:
            parse(value)
    except (TypeError, ValueError):
        return False
    return True


def _typed(name: str, values: Sequence[Any], type_: str) -> list[Any]:
    found = []
    for row, value in enumerate(values):
        try:
            _check_text(value) if type_ == "text" else PARSERS[type_](value)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"data.columns {name!r}: {value!r} in row {row + 1} is no {type_}"
            ) from error
        found.append(None if is_empty(value) else _value(value, type_))
    return found


def _check_text(value: Any) -> None:
    if not (isinstance(value, str) or is_empty(value)):
        raise ValueError("no text")


def _value(value: Any, type_: str) -> Any:
    match type_:
        case "text":
            return value
        case "number":
            return float(value)
        case "boolean":
            return bool(truth_of(value))
        case "moment":
            return str(value).strip()
    return category_of(value)


def _figures(values: Sequence[Any]) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    figures: dict[str, Any] = {
        "missing": round(1 - len(known) / max(1, len(values)), 4),
        "different": len(set(known)),
    }
    numbers = [value for value in known if isinstance(value, float)]
    if numbers:
        figures["quantiles"] = [float(q) for q in np.quantile(numbers, (0, 0.05, 0.5, 0.95, 1))]
    return figures
