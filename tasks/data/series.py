"""What is particular to rows of series: channels of equal length, what is empty or the same."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasks.data.config import DataConfig
from tasks.data.table import Ids, Mask, Table, is_missing, shortened

Columns = Mapping[str, Sequence[Any]]
AT = (0.0, 0.05, 0.5, 0.95, 1.0)


class SeriesKind:
    """Rows with one or several channels, each a list of numbers in order of time."""

    name = "series"
    drops_equal_rows = True
    why = "columns of lists of numbers"
    why_inputs = "every column of lists of numbers"

    def choose_inputs(self, table: Table, target: str) -> tuple[str, ...]:
        """All columns of lists of numbers; ValueError when there is none."""
        found = [name for name in table.names if name != target and _is_channel(table, name)]
        if not found:
            raise ValueError(
                f"data.inputs: {table.path.name} has no column of lists of numbers (columns: "
                f"{shortened(table.names)}); a table with a row for each step needs data.series"
            )
        return tuple(found)

    def check_inputs(self, table: Table, inputs: Sequence[str]) -> None:
        """Pass when each row has channels of one length, of numbers or nothing; ValueError else."""
        for name in inputs:
            for row, cell in enumerate(table.columns[name]):
                if not (is_missing(cell) or _is_list_of_numbers(cell)):
                    raise ValueError(
                        f"{table.where(row)}: data.inputs {name!r} is {cell!r:.40}, a list of "
                        "finite numbers was expected"
                    )
        for row, cells in enumerate(zip(*(table.columns[n] for n in inputs), strict=True)):
            lengths = sorted({len(cell or ()) for cell in cells})
            if len(lengths) > 1:
                raise ValueError(
                    f"{table.where(row)}: channels of {lengths[0]} and {lengths[-1]} values, all "
                    "channels of a series must be equally long"
                )

    def opened(self, table: Table, config: DataConfig) -> Table:
        """The table as it is: its cells hold the values themselves."""
        del config
        return table

    def types(self, columns: Columns, given: Mapping[str, str]) -> dict[str, str]:
        """None: all channels are numbers. ValueError when the project gives types."""
        del columns
        if given:
            raise ValueError(
                f"data.columns {', '.join(given)}: kind series has no types of columns"
            )
        return {}

    def typed(self, columns: Columns, types: Mapping[str, str]) -> dict[str, list[Any]]:
        """Lists of floats, None where a value is missing."""
        del types
        return {name: [_floats(cell) for cell in cells] for name, cells in columns.items()}

    def unusable(self, columns: Columns) -> dict[str, Mask]:
        """Rows to drop, by reason: those without a value."""
        rows = zip(*columns.values(), strict=True)
        empty = (all(v is None for cell in cells for v in cell) for cells in rows)
        return {"empty series": np.fromiter(empty, dtype=np.bool_)}

    def keys(self, columns: Columns) -> list[str]:
        """What a row is, as a string: equal values ask the same question."""
        return [repr(cells) for cells in zip(*columns.values(), strict=True)]

    def near_duplicates(self, columns: Columns) -> Ids:
        """A group number for each row; equal rows share one."""
        number: dict[str, int] = {}
        return np.array([number.setdefault(key, len(number)) for key in self.keys(columns)])

    def figures(self, columns: Columns) -> dict[str, Any]:
        """Lengths, and the share of missing values, for the data report."""
        (first, *_) = columns.values()
        lengths = [len(cell) for cell in first]
        values = [value for cells in columns.values() for cell in cells for value in cell]
        steps = np.quantile(lengths, AT, method="lower").tolist() if lengths else []
        return {
            "channels": len(columns),
            "quantiles": list(AT),
            "steps": [int(step) for step in steps],
            "missing": round(sum(v is None for v in values) / max(1, len(values)), 4),
        }


def _is_channel(table: Table, name: str) -> bool:
    known = [cell for cell in table.columns[name] if not is_missing(cell)]
    return bool(known) and all(_is_list_of_numbers(cell) for cell in known)


def _is_list_of_numbers(cell: Any) -> bool:
    return isinstance(cell, list) and all(_is_number(value) for value in cell)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not (value is None or isinstance(value, int | float)):
        return False
    return value is None or not math.isinf(value)


def _floats(cell: Any) -> list[float | None]:
    values = [] if is_missing(cell) else cell
    return [None if is_missing(value) else float(value) for value in values]
