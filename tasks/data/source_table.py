"""A source's rows as a table, whatever it is: a file, a folder of files, data of scikit-learn."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tasks.data.config import FILE_SUFFIXES, DataConfig
from tasks.data.files import digest_of_paths, folder_table, located, named_files
from tasks.data.long_table import rows_of_steps
from tasks.data.partitions import Partition, digest_of, newest, partitions_of, read_partitions
from tasks.data.plain_text import divided, plain_files, read_plain_folder
from tasks.data.reading import read_table
from tasks.data.source import BUNDLED, resolve_source
from tasks.data.table import Table, joined
from tasks.data.text import TextKind
from tasks.data.window import in_window

DARKEST = 16
"""Of a pixel in scikit-learn's digits."""


def source_table(
    config: DataConfig, base: Path, columns: Sequence[str] = (), field: str = "data.source"
) -> Table:
    """All rows of the source; of a Parquet file only `columns` when they are named and exist.

    Where rows are files, cells that name one hold its absolute path.
    """
    suffixes = FILE_SUFFIXES.get(config.kind, ())
    path = resolve_source(config.source, base, field, folder=config.may_be_folder)
    layout = config.layout if config.series else {}
    whole = field != "data.source"  # a split's own file is read as it is
    config = config.model_copy(update={"window": None}) if whole else config
    table = _read(path, config, [*columns, *layout.values()] if columns else ())
    if layout:
        table = rows_of_steps(table, layout, (config.target, *config.beside), config.inputs)
    table = in_window(table, config)
    if config.task == "generation":
        return _in_passages(table, config)
    if not suffixes:
        return table
    return replace(table, columns={name: located(table, name, suffixes) for name in table.columns})


def source_digest(config: DataConfig, base: Path, field: str = "data.source") -> str:
    """The sha256 of the source's bytes, those of the files that it names included.

    Of several files, of which is which and their digests.
    """
    digest = _digest(config, base, field)
    if not config.split.files:
        return digest
    files = {
        split: _digest(config.model_copy(update={"source": file}), base, f"data.split.{split}")
        for split, file in config.split.files.items()
    }
    whole = json.dumps({"source": digest, **files}, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def digits_table(path: Path) -> Table:
    """The columns `image`, 8 x 8 pixels in lists, and `digit`."""
    rows = np.loadtxt(path, delimiter=",")
    pixels = np.rint(rows[:, :-1] * (255 / DARKEST)).astype(np.int64).reshape(-1, 8, 8)
    columns = {"image": pixels.tolist(), "digit": rows[:, -1].astype(np.int64).tolist()}
    return Table(path, columns, tuple(columns), facts={"format": BUNDLED})


def _in_passages(table: Table, config: DataConfig) -> Table:
    """Long texts as several rows; the table as it is when it has no such column."""
    split = config.split
    others = [name for name in (split.column, split.time, split.group_by) if name]
    names = config.inputs or TextKind().choose_inputs(table.without(others), config.target)
    if names[0] not in table.columns:
        return table
    files = [part for _, part in table.parts] or [table]
    return joined([divided(part, names[0], config.passage) for part in files])


def _read(path: Path, config: DataConfig, columns: Sequence[str]) -> Table:
    if path.is_dir() and config.task == "generation":
        return read_plain_folder(path, config.encoding)
    if path.is_dir() and config.kind in FILE_SUFFIXES:
        return folder_table(path, FILE_SUFFIXES[config.kind])
    if path.is_dir():
        return read_partitions(path, _partitions(path, config), config, columns)
    if config.window and not config.time_column:
        raise ValueError(
            f"data.window {config.window}: {path.name} is one file, and data.time names no column "
            "of dates to go by"
        )
    if config.source.startswith(f"{BUNDLED}://"):
        return digits_table(path)
    return read_table(path, config.encoding, columns, compact=config.kind == "table")


def _partitions(folder: Path, config: DataConfig) -> list[Partition]:
    """The files to read: those of the window, where their paths say when they are from."""
    found = partitions_of(folder)
    # A series goes on from file to file: it is in the window when its last step is.
    if config.window is None or config.series:
        return found
    if config.time_column and not all(each.day for each in found):
        return found
    # Rows of the day on which the window opens are told apart by their times.
    days = config.window_days + bool(config.time_column)
    return newest(found, days, f"data.window {config.window}: {folder.name}")


def _digest(config: DataConfig, base: Path, field: str) -> str:
    suffixes = FILE_SUFFIXES.get(config.kind, ())
    path = resolve_source(config.source, base, field, folder=config.may_be_folder)
    if path.is_dir() and not suffixes:
        if config.is_partitioned:
            is_own = field != "data.source"
            windowed = config.model_copy(update={"window": None}) if is_own else config
            return digest_of(_partitions(path, windowed))
        found = plain_files(path)
        content = digest_of_paths(str(path / name) for name in found)
        return hashlib.sha256(f"{json.dumps(found)}{content}".encode()).hexdigest()
    own = "" if path.is_dir() else _file_digest(path, f"{field} {config.source!r}")
    if not suffixes or config.source.startswith(f"{BUNDLED}://"):
        return own
    table = _read(path, config, ())
    names = "" if own else json.dumps(table.columns)
    files = digest_of_paths(named_files(table, suffixes))
    return hashlib.sha256(f"{own}{names}{files}".encode()).hexdigest()


def _file_digest(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{what}: {error.strerror}") from error
