"""Encoder of rows with many columns: numbers, booleans, moments and categories.

Numbers are scaled: each column has what is subtracted from it (`mean`) and what it is then divided
by (`deviation`), and those `in_norm` are a vector whose length is 1 in every row. A missing one
becomes the mean, and a column of its own says so.
Categories become ids: 0 for missing, 1 for one that training did not meet, the known ones from 2.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

MISSING = frozenset({"", "na", "nan", "null", "n/a", "#n/a", "<na>", "nat"})
"""How programs write a missing cell, in lower case."""
MOMENT_PARTS = ("day", "month", "weekday", "hour")
PIECE = 1 << 16
"""Rows that are parsed at one time, so that memory grows by what is kept of them alone."""
FEW = 32
"""Numbers that are parsed one by one sooner than at once."""
PLAIN = {float, int, type(None)}
"""Types of cells that are numbers, or missing, as they stand."""
Numbers = np.ndarray


class TableRows:
    """Columns of a table as `numbers` float32 [rows, K] and `categories` int64 [rows, M]."""

    names: tuple[str, ...] = ("numbers", "categories")
    batch_rows = 256
    ragged_axes: tuple[int, ...] = ()

    def __init__(
        self,
        scales: Sequence[Mapping[str, Any]],
        categories: Mapping[str, Sequence[str]],
        types: Mapping[str, str],
    ) -> None:
        self._numeric = {name: kind for name, kind in types.items() if kind != "category"}
        self._scales = _Scales(scales)
        self._ids = {
            column: {value: index + 2 for index, value in enumerate(values)}
            for column, values in categories.items()
        }
        self.names = ("numbers", "categories")[: 1 + bool(self._ids)]

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "TableRows":
        """From the configuration alone; no file is read from `folder`."""
        del folder
        return cls(config["numbers"], config["categories"], config["types"])

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        """float32 [rows, K + M]; ids are exact in it up to 2**24."""
        count = len(next(iter(columns.values()), ()))
        if count <= PIECE:
            return self._encoded(columns, 0)
        found = np.empty((count, self._scales.width + len(self._ids)), dtype=np.float32)
        cells = {column: _cells(columns, column) for column in (*self._numeric, *self._ids)}
        for start in range(0, count, PIECE):
            piece = {name: values[start : start + PIECE] for name, values in cells.items()}
            found[start : start + PIECE] = self._encoded(piece, start)
        return found

    def _encoded(self, columns: Mapping[str, Sequence[Any]], first: int) -> np.ndarray:
        """Rows of which the first is row `first`."""
        parts = {
            name: number
            for column, type_ in self._numeric.items()
            for name, number in numbers_of(column, type_, _cells(columns, column), first).items()
        }
        ids = [self._category_ids(columns, column) for column in self._ids]
        count = len(next(iter(parts.values()), ids[0] if ids else ()))
        found = np.empty((count, self._scales.width + len(ids)), np.float32)
        self._scales.write(parts, found)
        for place, column in enumerate(ids, start=self._scales.width):
            found[:, place] = column
        return found

    def length(self, row: np.ndarray) -> int:
        """All rows are equally long."""
        del row
        return 1

    def batch(self, rows: Sequence[np.ndarray] | np.ndarray) -> dict[str, np.ndarray]:
        """Numbers and ids of these rows."""
        stacked = rows if isinstance(rows, np.ndarray) else np.stack(rows)
        arrays = {"numbers": np.ascontiguousarray(stacked[:, : self._scales.width])}
        if self._ids:
            arrays["categories"] = stacked[:, self._scales.width :].astype(np.int64)
        return arrays

    def _category_ids(self, columns: Mapping[str, Sequence[Any]], column: str) -> list[int]:
        ids = self._ids[column]
        names = map(category_of, _cells(columns, column))
        return [0 if name is None else ids.get(name, 1) for name in names]


class _Scales:
    """What is done to all numbers of a row at once; K of them."""

    def __init__(self, scales: Sequence[Mapping[str, Any]]) -> None:
        self._names = [scale["name"] for scale in scales]
        self._mean_K = np.array([scale["mean"] for scale in scales])
        self._deviation_K = np.array([scale["deviation"] for scale in scales])
        self._fill_K = np.array([scale.get("fill", 0.0) for scale in scales])
        self._in_norm = np.flatnonzero([bool(scale.get("in_norm")) for scale in scales])
        wide = [1 + bool(scale["missing"]) for scale in scales]
        self.width = sum(wide)
        """Of the scaled numbers, each followed by whether it was missing if training met any."""
        self._places = np.cumsum([0, *wide[:-1]]) if wide else np.zeros(0, int)
        self._told = np.flatnonzero(np.array(wide) == 2)

    def write(self, parts: Mapping[str, Numbers], found: np.ndarray) -> None:
        """Fill the first `width` columns of `found`; missing numbers become the mean."""
        if not self._names:
            return
        values_RK = np.array([parts[name] for name in self._names]).T
        gone_RK = np.isnan(values_RK)
        scores_RK = (values_RK - self._mean_K) / self._deviation_K
        if len(self._in_norm):
            normed_RJ = values_RK[:, self._in_norm]
            lengths_R = _lengths(normed_RJ)
            scores_RK[:, self._in_norm] = (normed_RJ - self._mean_K[self._in_norm]) / lengths_R[
                :, None
            ]
        found[:, self._places] = np.where(gone_RK, self._fill_K, scores_RK)
        if len(self._told):
            found[:, self._places[self._told] + 1] = gone_RK[:, self._told]


def numbers_of(
    column: str, type_: str, values: Sequence[Any] | Numbers, first: int = 0
) -> dict[str, Numbers]:
    """The numbers that a column that is no category comes to, NaN where missing, by name.

    The first of the values stands in row `first`, which a ValueError tells.
    """
    found = _parsed(column, type_, values, first)
    if type_ != "moment":
        return {column: found}
    found = found.reshape(-1, len(MOMENT_PARTS))  # of no row too
    return {f"{column}.{part}": found[:, i] for i, part in enumerate(MOMENT_PARTS)}


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, NaT, or one of the words for it."""
    if isinstance(value, str):
        return value.strip().lower() in MISSING
    # NaN and NaT alone differ from themselves.
    return value is None or bool(value != value)  # noqa: PLR0124


def number_of(value: Any) -> float:
    """A number, NaN when missing; ValueError for anything else."""
    number = math.nan if is_empty(value) else float(value)
    if math.isinf(number):
        raise ValueError("infinite")
    return number


def truth_of(value: Any) -> float:
    """1 or 0, NaN when missing; ValueError for what is neither true nor false."""
    if is_empty(value):
        return math.nan
    word = str(value).strip().lower()
    if word in ("true", "false", "1", "0", "1.0", "0.0"):
        return float(word in ("true", "1", "1.0"))
    raise ValueError("neither true nor false")


def moment_of(value: Any) -> tuple[float, ...]:
    """Days since 1970, month, weekday and hour of an ISO 8601 date or time; NaN when missing."""
    if is_empty(value):
        return (math.nan,) * len(MOMENT_PARTS)
    moment = datetime.fromisoformat(str(value).strip())
    hour = moment.hour + moment.minute / 60 + moment.second / 3600
    return moment.toordinal() - 719163 + hour / 24, moment.month, moment.weekday(), hour


def category_of(value: Any) -> str | None:
    """The name of a category, None when missing; 1, 1.0 and "1" are one."""
    if is_empty(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


PARSERS: dict[str, Callable[[Any], Any]] = {
    "boolean": truth_of,
    "number": number_of,
    "moment": moment_of,
    "category": category_of,
}
"""What makes a value of a cell, by type; in the order in which a column's type is guessed."""
WANTED = {"boolean": "true or false", "number": "a number", "moment": "a date or time"}


def _cells(columns: Mapping[str, Sequence[Any]], column: str) -> Sequence[Any]:
    if column not in columns:
        raise ValueError(f"column {column!r} is missing; found {', '.join(map(str, columns))}")
    return columns[column]


def _are_plain(values: Sequence[Any] | Numbers) -> bool:
    return isinstance(values, np.ndarray) or set(map(type, values)) <= PLAIN


def _parsed(column: str, type_: str, values: Sequence[Any] | Numbers, first: int) -> Numbers:
    if type_ == "number" and len(values) > FEW and _are_plain(values):
        numbers = np.array(values, dtype=np.float64)
        if not np.isinf(numbers).any():
            return numbers
    found = []
    for row, value in enumerate(values, start=first):
        try:
            found.append(PARSERS[type_](value))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"column {column!r}, row {row}: {value!r} must be {WANTED[type_]}"
            ) from error
    return np.array(found, dtype=np.float64)


def _lengths(values_RJ: Numbers) -> Numbers:
    """Euclidean length of each row; 1 where all is zero or missing."""
    squares_R = (np.nan_to_num(values_RJ) ** 2).sum(axis=1)
    return np.sqrt(np.where(squares_R == 0, 1.0, squares_R))
