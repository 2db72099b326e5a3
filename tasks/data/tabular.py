"""What is particular to rows of a table: the type of each column, and which of them help."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.arrow_column import ArrowColumn, numeric
from tasks.data.columns import MOST_DISTINCT, idle_columns
from tasks.data.config import DataConfig
from tasks.data.table import Ids, Mask, Table, distinct, shortened
from tasks.data.text import MIN_MEAN_WORDS
from tasks.packaging.predictor.table import (
    PARSERS,
    category_of,
    is_empty,
    truth_of,
)

Columns = Mapping[str, Sequence[Any]]
AT = (0, 0.05, 0.5, 0.95, 1)
"""Quantiles of a column of numbers in the data report."""


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
            if _holds_plain_values(table.columns[name]):
                continue
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
        return {"empty row": np.logical_and.reduce([_missing(v) for v in columns.values()])}

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
    if isinstance(values, ArrowColumn):
        if values.is_number and np.isfinite(values.numbers()[~values.missing()]).all():
            return "number"
        if values.has_words and values.has_few_values:
            words = values.codes()[1]
            if len(words) <= MOST_DISTINCT * len(values):
                values = words  # too few different ones to be free text
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


def _typed(name: str, values: Sequence[Any], type_: str) -> Any:
    if not isinstance(values, ArrowColumn):
        return _typed_cells(name, values, type_)
    if type_ == "number" and values.is_number and not np.isinf(values.numbers()).any():
        return numeric(values)
    return values.mapped(
        lambda cells, row_of: _typed_cells(name, cells, type_, row_of), _ARROW_TYPES[type_]
    )


_ARROW_TYPES = {
    "number": pa.float64(), "boolean": pa.bool_(), "moment": pa.string(),
    "category": pa.string(), "text": pa.string(),
}  # fmt: skip


def _typed_cells(
    name: str, values: Sequence[Any], type_: str, row_of: Callable[[int], int] = int
) -> list[Any]:
    """The values; the one at a place stands in the row that `row_of` says."""
    found = []
    for place, value in enumerate(values):
        try:
            _check_text(value) if type_ == "text" else PARSERS[type_](value)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"data.columns {name!r}: {value!r} in row {row_of(place) + 1} is no {type_}"
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


def _missing(values: Sequence[Any]) -> Mask:
    if isinstance(values, ArrowColumn) and values.is_number:
        return values.missing()
    if isinstance(values, ArrowColumn) and values.has_few_values:
        codes, known = values.codes()
        return np.fromiter(map(is_empty, known), dtype=np.bool_, count=len(known))[codes]
    return np.fromiter(map(is_empty, values), dtype=np.bool_, count=len(values))


def _holds_plain_values(values: Sequence[Any]) -> bool:
    """Whether the type of the column alone says that no cell is a list or bytes."""
    return isinstance(values, ArrowColumn) and (values.is_number or values.has_words)


def _figures(values: Sequence[Any]) -> dict[str, Any]:
    if isinstance(values, ArrowColumn) and values.is_number:
        return _number_figures(values.numbers())
    if isinstance(values, ArrowColumn) and values.has_few_values:
        share = values.missing().mean() if len(values) else 0.0
        different = len([value for value in values.codes()[1] if value is not None])
        return {"missing": round(float(share), 4), "different": different}
    known = [value for value in values if value is not None]
    figures: dict[str, Any] = {
        "missing": round(1 - len(known) / max(1, len(values)), 4),
        "different": len(set(known)),
    }
    numbers = [value for value in known if isinstance(value, float)]
    if numbers:
        figures["quantiles"] = [float(q) for q in np.quantile(numbers, AT)]
    return figures


def _number_figures(numbers: NDArray[np.float64]) -> dict[str, Any]:
    known = numbers[~np.isnan(numbers)]
    figures: dict[str, Any] = {
        "missing": round(1 - len(known) / max(1, len(numbers)), 4),
        "different": len(distinct(known)),
    }
    if len(known):
        figures["quantiles"] = [float(q) for q in np.quantile(known, AT)]
    return figures
