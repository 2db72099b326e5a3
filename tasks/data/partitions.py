"""A folder of files of rows that grows: a partition a file, many with a date in their path.

`day=2026-11-24/part.parquet` (Hive: the folder is a column of its rows too), `2026-11-24.csv`,
`year=2026/month=11/day=24/part.csv`. Of a window only the newest partitions are read.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from tasks.data.arrow_column import ArrowColumn
from tasks.data.config import DataConfig
from tasks.data.packed import SUFFIXES as PACKED
from tasks.data.packed import is_telling
from tasks.data.plain_text import SUFFIXES as PLAIN
from tasks.data.reading import SUFFIXES as FORMATS
from tasks.data.reading import read_table
from tasks.data.table import Table, is_missing, joined, shortened

SUFFIXES = tuple(end for end in FORMATS if end not in PLAIN)
"""Of files of rows: beside them a folder may hold texts about them."""
DATE = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


@dataclass(frozen=True, slots=True)
class Partition:
    """One file of a folder."""

    path: Path
    title: str
    """From the folder."""
    values: dict[str, str]
    """Columns that the folders on the way to it name."""
    day: date | None


def partitions_of(folder: Path, what: str = "") -> list[Partition]:
    """All files of rows below `folder`, by path; hidden and other files are passed over.

    Raises ValueError when there is none, about `what` or the folder's name.
    """
    try:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        raise ValueError(f"{folder.name} cannot be read: {error.strerror}") from error
    names = [path.relative_to(folder) for path in paths]
    found = [
        _partition(folder, name)
        for name in names
        if _is_rows(name) and not any(part.startswith((".", "_")) for part in name.parts)
    ]
    if not found:
        raise ValueError(
            f"{what or folder.name} is a directory that holds no file of rows, which end in one "
            f"of {', '.join(SUFFIXES)}"
        )
    return found


def newest(partitions: Sequence[Partition], days: int, what: str) -> list[Partition]:
    """Those of the last so many days, counted from the newest one.

    Raises ValueError, which starts with `what`, when one has no date.
    """
    undated = next((each for each in partitions if each.day is None), None)
    if undated is not None:
        raise ValueError(
            f"{what}: {undated.title} has no date in its path (such as day=2026-11-24/ or "
            "2026-11-24.csv), and data.time names no column of dates"
        )
    last = max(each.day for each in partitions if each.day)
    return [each for each in partitions if each.day and each.day > last - timedelta(days=days)]


def read_partitions(
    folder: Path, partitions: Sequence[Partition], config: DataConfig, columns: Sequence[str]
) -> Table:
    """The rows of all of them; ValueError when they do not have the same columns."""
    tables = [_read(each, config, columns) for each in partitions]
    _check_columns(folder, tables)
    keys = sorted({name for each in partitions for name in each.values})
    facts = {**tables[0].facts, "partitions": len(tables), "partitioned_by": keys}
    return replace(joined(tables), path=folder, facts=facts)


def digest_of(partitions: Sequence[Partition]) -> str:
    """The sha256 over the path and the content of each."""
    whole = hashlib.sha256()
    for each in partitions:
        try:
            with each.path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ValueError(f"{each.title} cannot be read: {error.strerror}") from error
        whole.update(f"{each.title}\0{content}\n".encode())
    return whole.hexdigest()


def _is_rows(name: Path) -> bool:
    """By its end; of an archive by the end before that, and what is in a plain .zip is seen when
    it is read."""
    if name.suffix.lower() not in PACKED:
        return name.suffix.lower() in SUFFIXES
    if is_telling(name):
        return Path(name.stem).suffix.lower() in SUFFIXES
    return name.suffix.lower() == ".zip"


def _partition(folder: Path, name: Path) -> Partition:
    pairs = [KEY.fullmatch(part) for part in name.parent.parts]
    values = {pair[1]: unquote(pair[2]) for pair in pairs if pair}
    return Partition(folder / name, name.as_posix(), values, _day_of(name, values))


def _day_of(name: Path, values: dict[str, str]) -> date | None:
    if {"year", "month", "day"} <= values.keys():
        return _date(values["year"], values["month"], values["day"])
    found = DATE.findall(name.as_posix())
    return _date(*found[-1]) if found else None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _read(partition: Partition, config: DataConfig, columns: Sequence[str]) -> Table:
    compact = config.kind == "table"
    table = read_table(partition.path, config.encoding, columns, compact=compact)
    table = replace(table, title=partition.title)
    for name, value in partition.values.items():
        if name in table.names:
            raise ValueError(
                f"{partition.title}: the folder names a column {name!r} that the file has too"
            )
        cells: Any = [value] * len(table)
        if compact:
            cells = ArrowColumn(pa.chunked_array([cells]))
        table.columns[name] = cells
    return replace(table, names=(*table.names, *partition.values))


def _check_columns(folder: Path, tables: Sequence[Table]) -> None:
    first = tables[0]
    for table in tables[1:]:
        for one, other in ((first, table), (table, first)):
            lacking = [name for name in one.names if name not in other.names]
            if lacking:
                raise ValueError(
                    f"{folder.name}: {other.name} has no column {shortened(lacking, most=3)}, "
                    f"{one.name} has: all partitions must have the same columns"
                )
        for name in first.columns:
            sorts = [_sort_of(one.columns[name]) for one in (first, table)]
            if None not in sorts and sorts[0] != sorts[1]:
                raise ValueError(
                    f"{folder.name}: {name!r} is {sorts[1]} in {table.name} and {sorts[0]} in "
                    f"{first.name}: all partitions must have the same columns"
                )


def _sort_of(values: Sequence[Any]) -> str | None:
    """What a column holds, by its first known cell; None when all is missing."""
    known = next((value for value in values if not is_missing(value)), None)
    match known:
        case None:
            return None
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
    return f"a {type(known).__name__}"
