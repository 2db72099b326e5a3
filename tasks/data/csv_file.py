"""A CSV file as a table: every value stays the string that it is, every row has its line.

Rules (RFC 4180, read strictly): the first row is the header; a quoted value may hold delimiters,
quotes (doubled) and line ends, which are kept; blank lines are skipped; a row with more or fewer
values than the header is refused, because its values cannot be told apart. The delimiter is a tab
in `.tsv`, elsewhere the comma, or `;`, tab or `|` when the header has no comma but one of those.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tasks.data.arrow_column import PIECE, ArrowColumn
from tasks.data.table import Table, shortened
from tasks.data.text_file import check_text, without_mark

if TYPE_CHECKING:
    from _csv import Reader


def read_csv(path: Path, encoding: str, *, compact: bool = False) -> Table:
    """All rows of the file, `compact` as Arrow keeps them; ValueError names the line of what is
    wrong."""
    check_text(path, encoding)
    delimiter = _delimiter(path, encoding)
    with path.open(encoding=without_mark(encoding), newline="") as file:
        rows = _rows(path, csv.reader(file, delimiter=delimiter, strict=True))
        header = _header(path, rows)
        pieces, lines = [], []
        for values, numbers in _pieces(path, rows, header):
            cells = zip(*values, strict=True)
            pieces.append([_words(each) if compact else list(each) for each in cells])
            lines.append(np.array(numbers, dtype=np.int64))
    if not pieces:
        raise ValueError(f"{path.name} has a header ({shortened(header)}) and no rows")
    joined = _compact if compact else _listed
    columns = {
        name: joined(each) for name, each in zip(header, zip(*pieces, strict=True), strict=True)
    }
    facts = {"format": "csv", "encoding": encoding, "delimiter": delimiter}
    return Table(path, columns, tuple(header), np.concatenate(lines), facts)


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


def _pieces(
    path: Path, rows: Iterator[tuple[int, list[str]]], header: list[str]
) -> Iterator[tuple[list[list[str]], list[int]]]:
    """Some rows and their lines at a time."""
    values: list[list[str]] = []
    lines: list[int] = []
    width = len(header)
    for line, row in rows:
        if len(row) != width:
            raise ValueError(
                f"{path.name}:{line}: {len(row)} columns where the header has {width} "
                f"({shortened(header)})"
            )
        values.append(row)
        lines.append(line)
        if len(values) == PIECE:
            yield values, lines
            values, lines = [], []
    if values:
        yield values, lines


def _words(cells: Sequence[str]) -> pa.DictionaryArray:
    return pa.array(cells, pa.string()).dictionary_encode()


def _compact(pieces: Sequence[pa.DictionaryArray]) -> Any:
    return ArrowColumn(pa.chunked_array(pieces))


def _listed(pieces: Sequence[list[str]]) -> list[str]:
    return list(chain.from_iterable(pieces))
