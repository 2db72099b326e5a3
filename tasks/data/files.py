"""Rows that are files: a folder of them as a table, and the paths that a table's cells name."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import Any, TypeVar

from tasks.data.table import Table

PATH, LABEL = "path", "label"
"""Columns of a folder's table: the file from the folder, and the name of the first folder on the
way to it."""
Suffixes = tuple[str, ...]
T = TypeVar("T")


def folder_table(folder: Path, suffixes: Suffixes, column: str = PATH) -> Table:
    """A row for each file below `folder` that ends in one of `suffixes`, by path.

    Hidden files are passed over, others are counted in the facts. Raises ValueError for none.
    """
    try:
        found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        raise ValueError(f"{folder.name} cannot be read: {error.strerror}") from error
    seen = [path for path in found if not any(part.startswith(".") for part in path.parts)]
    kept = [path for path in seen if path.name.lower().endswith(suffixes)]
    if not kept:
        raise ValueError(
            f"{folder.name} holds no file that ends in {', '.join(suffixes)}; a folder with a "
            "folder of files for each class was expected"
        )
    columns: dict[str, list[Any]] = {
        column: [path.as_posix() for path in kept],
        LABEL: [path.parts[0] if len(path.parts) > 1 else None for path in kept],
    }
    facts = {"format": "folder", "files_passed_over": len(seen) - len(kept)}
    return Table(folder, columns, tuple(columns), facts=facts)


def is_named(cell: Any, suffixes: Suffixes) -> bool:
    """Whether a cell is the name of a file of this sort."""
    return isinstance(cell, str) and cell.lower().endswith(suffixes)


def located(table: Table, column: str, suffixes: Suffixes) -> list[Any]:
    """The cells, each that names a file as an absolute path; the others as they are.

    Raises ValueError for a path that leads out of the table's folder.
    """
    root = folder_of(table)
    return [
        _inside(root, cell, f"{table.where(row)}: {column!r}") if is_named(cell, suffixes) else cell
        for row, cell in enumerate(table.columns[column])
    ]


def folder_of(table: Table) -> Path:
    """Where the paths of a table start."""
    return (table.path if table.path.is_dir() else table.path.parent).resolve()


def digest_of_paths(paths: Iterable[str]) -> str:
    """The sha256 over the content of the files, in their order; a missing one counts as such."""
    whole = hashlib.sha256()
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        except OSError:
            whole.update(b"unreadable")
    return whole.hexdigest()


def named_files(table: Table, suffixes: Suffixes) -> list[str]:
    """Absolute paths of all files that the cells of any column name."""
    return [
        cell
        for column in table.columns
        for cell in located(table, column, suffixes)
        if is_named(cell, suffixes)
    ]


def read_cells(
    table: Table, column: str, read: Callable[[Any], T], suffixes: Suffixes
) -> tuple[list[T | None], list[str]]:
    """What `read` makes of each cell, None where it raises ValueError; and those, with reasons."""

    def tried(cell: Any) -> T | ValueError:
        try:
            return read(cell)
        except ValueError as error:
            return error

    cells = table.columns[column]
    with ThreadPoolExecutor() as pool:  # decoders of files do not hold the interpreter
        found = list(pool.map(tried, cells))
    corrupt = [
        f"{_shown(cell, table, suffixes)} ({made})"
        for cell, made in zip(cells, found, strict=True)
        if isinstance(made, ValueError)
    ]
    return [None if isinstance(made, ValueError) else made for made in found], corrupt


def check_corrupt(table: Table, corrupt: list[str], most: float, what: str) -> None:
    """Raise ValueError when more than the share `most` of the rows could not be read."""
    if len(corrupt) > most * len(table):
        raise ValueError(
            f"{table.path.name}: {len(corrupt):,} of {len(table):,} {what} cannot be read, "
            f"data.max_corrupt {most:g} allows {int(most * len(table)):,}: {listing(corrupt)}"
        )


def _shown(cell: Any, table: Table, suffixes: Suffixes) -> str:
    """A file by its path from the table's folder; any other cell by its beginning."""
    root = f"{folder_of(table)}/"
    return (cell.removeprefix(root) if is_named(cell, suffixes) else f"{cell!r:.80}")[:80]


def listing(names: Sequence[str], most: int = 3) -> str:
    """The first few of many files on one line."""
    tail = f" and {len(names) - most} more" if len(names) > most else ""
    return "; ".join(names[:most]) + tail


def _inside(root: Path, name: str, where: str) -> str:
    pure = PurePath(name)
    if pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise ValueError(f"{where} is {name!r}, a path from {root.name}/ without '..' was expected")
    path = root / pure
    if os.path.islink(path) and not path.resolve().is_relative_to(root):
        raise ValueError(f"{where} is {name!r}, a link that leads out of {root.name}/")
    return str(path)
