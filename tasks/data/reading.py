"""A file of rows as a table, by its suffix: CSV, JSON Lines, Parquet."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.data.arrow_column import ArrowColumn
from tasks.data.csv_file import read_csv
from tasks.data.packed import SUFFIXES as PACKED
from tasks.data.packed import unpacked
from tasks.data.plain_text import SUFFIXES as PLAIN
from tasks.data.plain_text import read_plain
from tasks.data.table import Table, shortened
from tasks.data.text_file import check_text, guess_encoding, without_mark
from tasks.data.ts_file import read_ts

TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".ts", *PLAIN)
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")


def read_table(
    path: Path, encoding: str, columns: Sequence[str] = (), *, compact: bool = False
) -> Table:
    """All rows of the file; of a Parquet file only `columns` when they are named and exist.

    Columns of a `compact` Parquet or CSV file are kept by Arrow, for rows that lists would have no
    room for.

    Raises `ValueError`, one sentence with file and line, for whatever is wrong with the file.
    """
    suffix = path.suffix.lower()
    if suffix in PACKED:
        with unpacked(path) as inside:
            return replace(read_table(inside, encoding, columns, compact=compact), path=path)
    try:
        if suffix in (".csv", ".tsv"):
            return read_csv(path, encoding, compact=compact)
        if suffix in (".jsonl", ".ndjson"):
            return read_jsonl(path, encoding)
        if suffix == ".ts":
            return read_ts(path, encoding)
        if suffix in PLAIN:
            return read_plain(path, encoding)
        if suffix == ".parquet":
            return read_parquet(path, columns, compact=compact)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror or error}") from error
    raise ValueError(f"{path.name}: files of rows end in one of {', '.join((*SUFFIXES, *PACKED))}")


def text_encoding(path: Path) -> str | None:
    """The encoding of a file of text, packed or not, that names none; None of any other file."""
    suffix = path.suffix.lower()
    if suffix in PACKED:
        with unpacked(path) as inside:
            return text_encoding(inside)
    return guess_encoding(path) if suffix in TEXT_SUFFIXES else None


def read_jsonl(path: Path, encoding: str) -> Table:
    """One JSON object a line; blank lines are skipped, a field that a row lacks is missing."""
    check_text(path, encoding)
    records, lines = [], []
    with path.open(encoding=without_mark(encoding)) as file:
        for line, text in enumerate(file, start=1):
            if text.strip():
                records.append(_record(path, line, text))
                lines.append(line)
    names = tuple(dict.fromkeys(name for record in records for name in record))
    if not names:
        raise ValueError(f"{path.name} has no rows, one JSON object a line was expected")
    columns = {name: [record.get(name) for record in records] for name in names}
    facts = {"format": "jsonl", "encoding": encoding}
    return Table(path, columns, names, np.array(lines, dtype=np.int64), facts)


def read_parquet(path: Path, columns: Sequence[str], *, compact: bool = False) -> Table:
    """The named columns, or all when none are named or one does not exist."""
    try:
        file = pq.ParquetFile(path)
        names = tuple(file.schema_arrow.names)
        wanted = [name for name in names if name in columns] or list(names)
        words = [f.name for f in file.schema_arrow if compact and pa.types.is_string(f.type)]
        table = pq.read_table(path, columns=wanted, read_dictionary=words, partitioning=None)
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path.name} is not a readable Parquet file: {reason}") from error
    if table.num_rows == 0:
        raise ValueError(f"{path.name} has columns ({shortened(names)}) and no rows")
    values: dict[str, Any] = {
        name: ArrowColumn(table.column(name)) if compact else table.column(name).to_pylist()
        for name in wanted
    }
    return Table(path, values, names, facts={"format": "parquet"})


def _record(path: Path, line: int, text: str) -> dict[str, Any]:
    try:
        record = json.loads(text, object_pairs_hook=_fields)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name}:{line}: not JSON ({error})") from error
    if not isinstance(record, dict):
        kind = "an array" if isinstance(record, list) else type(record).__name__
        raise ValueError(f"{path.name}:{line}: {kind}, one JSON object a line was expected")
    if "\\ud" in text.lower():
        _check_surrogates(path, line, record)
    return record


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(
            name for name, count in Counter(name for name, _ in pairs).items() if count > 1
        )
        raise ValueError(f"field {twice!r} stands twice")
    return found


def _check_surrogates(path: Path, line: int, record: dict[str, Any]) -> None:
    """Raise ValueError for half of a surrogate pair: JSON can escape it, no file can hold it."""
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise ValueError(
            f"{path.name}:{line}: {half!r} is half of a surrogate pair, which is not a character"
        ) from error
