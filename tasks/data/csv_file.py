"""A CSV file as a table: every value stays the string that it is, every row has its line.

Rules (RFC 4180, read strictly): the first row is the header; a quoted value may hold delimiters,
quotes (doubled) and line ends, which are kept; blank lines are skipped; a row with more or fewer
values than the header is refused, because its values cannot be told apart. The delimiter is a tab
in `.tsv`, elsewhere the comma, or `;`, tab or `|` when the header has no comma but one of those.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tasks.data.table import Table, shortened
from tasks.data.text_file import check_text, without_mark

if TYPE_CHECKING:
    from _csv import Reader


def read_csv(path: Path, encoding: str) -> Table:
    """All rows of the file; ValueError names the line of what is wrong."""
    check_text(path, encoding)
    delimiter = _delimiter(path, encoding)
    with path.open(encoding=without_mark(encoding), newline="") as file:
        rows = _rows(path, csv.reader(file, delimiter=delimiter, strict=True))
        header = _header(path, rows)
        values, lines = _body(path, rows, header)
    columns = dict(zip(header, map(list, zip(*values, strict=True)), strict=True))
    facts = {"format": "csv", "encoding": encoding, "delimiter": delimiter}
    return Table(path, columns, tuple(header), np.array(lines, dtype=np.int64), facts)


def _delimiter(path: Path, encoding: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    with path.open(encoding=without_mark(encoding)) as file:
        header = file.readline()
    return next((mark for mark in ",;\t|" if mark in header), ",")


def _rows(path: Path, reader: "Reader") -> Iterator[tuple[int, list[str]]]:
    """(first line, values) of each row that is not blank."""
    # The limit of the module, 128 KiB a value, is a guard against unclosed quotes; strict reading
    # finds those itself, and a long document is a value like any other.
    limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise _broken(path, line, reader.line_num, error) from error
    finally:
        csv.field_size_limit(limit)


def _broken(path: Path, first: int, last: int, error: csv.Error) -> ValueError:
    if "unexpected end of data" in str(error):
        return ValueError(f"{path.name}:{first}: a quote that opens in this row is never closed")
    where = f"{path.name}:{first}" if first == last else f"{path.name}:{first}-{last}"
    return ValueError(f"{where}: not valid CSV: {error}; quotes inside a value must be doubled")


def _header(path: Path, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    line, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    if not names:
        raise ValueError(f"{path.name} has only blank lines, rows with a header were expected")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{path.name}:{line}: column {twice!r} stands twice in the header")
    return names


def _body(
    path: Path, rows: Iterator[tuple[int, list[str]]], header: list[str]
) -> tuple[list[list[str]], list[int]]:
    values, lines = [], []
    width = len(header)
    for line, row in rows:
        if len(row) != width:
            raise ValueError(
                f"{path.name}:{line}: {len(row)} columns where the header has {width} "
                f"({shortened(header)})"
            )
        values.append(row)
        lines.append(line)
    if not values:
        raise ValueError(f"{path.name} has a header ({shortened(header)}) and no rows")
    return values, lines
