"""Score a file: read rows, predict, write them with the answers, all or nothing."""

import base64
import csv
import json
import logging
import os
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.data.files import folder_table, is_named, located
from tasks.data.long_table import rows_of_steps
from tasks.data.reading import SUFFIXES, read_table, text_encoding
from tasks.data.table import Table
from tasks.packaging.predictor import Predictor

log = logging.getLogger(__name__)
Columns = dict[str, list[Any]]
ENCODING = "utf-8"
"""Of what is written; what is read tells its own."""


def score_file(
    bundle: Path, source: Path, target: Path, sampling: Mapping[str, Any] | None = None
) -> int:
    """Write the rows of `source` to `target` with what the model answers; how many.

    `sampling` says how a model that writes texts draws them. Raises ValueError for a missing
    column, an input that the model refuses, or a target that cannot be written; then nothing is.
    """
    check_target(target)
    predictor = Predictor.load(bundle)
    table = _table(source, predictor)
    inputs = {name: table.column(name, "input") for name in predictor.inputs}
    if predictor.suffixes:
        inputs = {name: located(table, name, predictor.suffixes) for name in inputs}
    write_rows(target, table.columns | answer_columns(predictor, inputs, sampling))
    return len(table)


def _table(source: Path, predictor: Predictor) -> Table:
    """The rows of a file; where rows are files, one of those or a folder of them does too."""
    if source.is_dir() and predictor.suffixes:
        return folder_table(source, predictor.suffixes, predictor.inputs[0])
    if source.is_file() and is_named(source.name, predictor.suffixes):
        name = predictor.inputs[0]
        return Table(source, {name: [source.name]}, (name,))
    if not source.is_file():
        raise ValueError(f"{source}: must be a file of rows ({', '.join(SUFFIXES)})")
    encoding = text_encoding(source) or ENCODING
    if encoding != ENCODING:
        log.warning("%s is read as %s", source.name, encoding)
    table = read_table(source, encoding)
    is_long = predictor.layout.get("id") in table.columns
    return rows_of_steps(table, predictor.layout, channels=predictor.inputs) if is_long else table


def answer_columns(
    predictor: Predictor, inputs: Columns, sampling: Mapping[str, Any] | None = None
) -> Columns:
    """`label` and one column of probabilities a class, `prediction`, or `continuation`.

    They replace columns of the same name.
    """
    return {
        name: [round(v, 6) for v in values] if name.startswith("probability_") else values
        for name, values in predictor.answer(inputs, sampling).items()
    }


def check_target(target: Path) -> None:
    """ValueError when nothing could be written to `target`."""
    if target.is_dir():
        raise ValueError(f"{target}: is a directory, a file was meant")
    if target.suffix.lower() not in WRITERS:
        allowed = ", ".join(sorted(WRITERS))
        raise ValueError(f"{target}: suffix {target.suffix!r} must be one of {allowed}")
    if not target.parent.is_dir():
        raise ValueError(f"{target}: the folder {target.parent} does not exist")


def write_rows(target: Path, columns: Columns) -> None:
    """Write all rows, or leave what was there: a file beside it takes its place when complete."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("w+b") as file:
            WRITERS[target.suffix.lower()](file, columns)
        part.replace(target)
    except OSError as error:
        raise ValueError(f"{target}: cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


def _as_text(values: list[Any]) -> list[Any]:
    """Cells of bytes (a file in a column) in base64, in which they can be read again."""
    return [base64.b64encode(v).decode() if isinstance(v, bytes) else v for v in values]


def _write_csv(file: IO[bytes], columns: Columns) -> None:
    with TextIOWrapper(file, encoding=ENCODING, newline="") as text:
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(zip(*map(_as_text, columns.values()), strict=True))


def _write_jsonl(file: IO[bytes], columns: Columns) -> None:
    for values in zip(*map(_as_text, columns.values()), strict=True):
        row = dict(zip(columns, values, strict=True))
        file.write(json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n")


def _write_parquet(file: IO[bytes], columns: Columns) -> None:
    pq.write_table(pa.table({name: _typed(name, cells) for name, cells in columns.items()}), file)


def _typed(name: str, cells: list[Any]) -> pa.Array:
    """A column of one type; ValueError names one that has several, which JSON Lines allow."""
    try:
        return pa.array(cells)
    except pa.ArrowException as error:
        raise ValueError(
            f"column {name!r} has cells of several types, which Parquet does not hold: write .csv "
            "or .jsonl"
        ) from error


WRITERS: dict[str, Callable[[IO[bytes], Columns], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
"""How rows are written, by suffix."""
