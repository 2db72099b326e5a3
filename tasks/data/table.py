"""Rows as they stand in a file: columns by name, and where each row was found."""

import difflib
import math
from bisect import bisect
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.data.arrow_column import ArrowColumn, concatenated, taken

Mask = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of one file."""

    path: Path
    columns: dict[str, list[Any]]
    """In the file's order. Values of a CSV are strings, those of JSON Lines and Parquet typed."""
    names: tuple[str, ...]
    """Every column of the file, those that were not asked for included."""
    lines: Ids | None = None
    """Line of a text file on which each row starts; None for Parquet."""
    facts: dict[str, Any] = field(default_factory=dict)
    """How the file was read: format, encoding, delimiter."""
    parts: tuple[tuple[int, "Table"], ...] = ()
    """Of rows that stand in several files: the first row of each, and the file's own table."""
    title: str = ""
    """What the file is called, where its name alone does not tell."""
    places: Ids | None = None
    """Of rows that were taken out of others: where each stood among those."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def where(self, row: int) -> str:
        """The place of a row as a person finds it."""
        if self.places is not None:
            return replace(self, places=None).where(int(self.places[row]))
        if self.parts:
            first, part = self.parts[bisect(self.parts, row, key=lambda each: each[0]) - 1]
            return part.where(row - first)
        if self.lines is None:
            return f"{self.name}, row {row + 1}"
        return f"{self.name}:{self.lines[row]}"

    @property
    def name(self) -> str:
        """The file as a person knows it."""
        return self.title or self.path.name

    def taking(self, rows: Ids) -> "Table":
        """The table with these rows only, each still found where it stands."""
        columns = {name: taken(values, rows) for name, values in self.columns.items()}
        places = rows if self.places is None else self.places[rows]
        return replace(self, columns=columns, places=places)

    def column(self, name: str, field_name: str) -> list[Any]:
        """The values of a column; a ValueError names `field_name`, the columns and the nearest."""
        if name not in self.columns:
            raise ValueError(f"{field_name} {name!r} is not a column of {self._listing(name)}")
        return self.columns[name]

    def without(self, names: Collection[str]) -> "Table":
        """The table without these columns."""
        columns = {name: values for name, values in self.columns.items() if name not in names}
        kept = tuple(name for name in self.names if name not in names)
        return replace(self, columns=columns, names=kept)

    def without_compact(self, kept: Collection[str]) -> "Table":
        """The table without those columns that Arrow keeps and nobody will ask for again."""
        columns = {
            name: values
            for name, values in self.columns.items()
            if name in kept or not isinstance(values, ArrowColumn)
        }
        return replace(self, columns=columns)

    def _listing(self, name: str) -> str:
        close = difflib.get_close_matches(name, self.names, n=1)
        hint = f", did you mean {close[0]}?" if close else ";"
        return f"{self.path.name}{hint} columns: {shortened(self.names)}"


def joined(tables: Sequence[Table]) -> Table:
    """The rows of all tables in their order, with the columns of the first.

    Raises ValueError for a table that lacks one of them.
    """
    first, *others = tables
    if not others:
        return first
    for table in others:
        for name in first.names:
            if name not in table.names:
                raise ValueError(f"{table.path.name} has no column {name!r}, {first.path.name} has")
    columns = {
        name: _joined([table.columns[name] for table in tables], name, first)
        for name in first.columns
        if all(name in table.columns for table in tables)
    }
    starts = accumulate(map(len, tables[:-1]), initial=0)
    # Compact columns are asked for where they stand alone: a part keeps no hold of its own.
    bare = [table.without_compact(()) for table in tables]
    parts = tuple(zip(list(starts), bare, strict=True))
    return replace(first, columns=columns, parts=parts, places=None, title="")


def _joined(columns: Sequence[Any], name: str, first: Table) -> Any:
    if not all(isinstance(column, ArrowColumn) for column in columns):
        return list(chain.from_iterable(columns))
    try:
        return concatenated(columns)
    except ValueError as error:
        raise ValueError(f"{first.name}: column {name!r} is of several types: {error}") from error


def distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The different values in their order. np.unique puts them into a hash table: of a million ids
    it makes 0.5 s, sorting 0.1."""
    ranked = np.sort(values)
    is_new: Mask = np.concatenate([ranked[:1] == ranked[:1], ranked[1:] != ranked[:-1]])
    found: npt.NDArray[Any] = ranked[is_new]
    return found


def shortened(names: Sequence[str], most: int = 20) -> str:
    """Names on one line, joined by commas; a long list ends in how many more there are."""
    tail = f" and {len(names) - most} more" if len(names) > most else ""
    listing = ", ".join(names[:most])
    return "".join(mark if mark.isprintable() else "?" for mark in listing) + tail


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: None or a NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))
