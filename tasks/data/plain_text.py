"""Plain text as rows: the paragraphs of a file, or of all files of a folder."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tasks.data.table import Table, joined
from tasks.data.text_file import check_text, without_mark

SUFFIXES = (".txt", ".md")
FORMAT = "plain text"
TEXT, FILE = "text", "file"
"""Columns: a paragraph, and the file that it stands in, from the folder."""
ENDS = ("\n", ". ", "! ", "? ", '." ', " ")
"""Where a long text is divided, the best place first."""


def read_plain(path: Path, encoding: str, name: str | None = None) -> Table:
    """The paragraphs of a file, which empty lines divide, as the columns `text` and `file`."""
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty, paragraphs of text were expected")
    check_text(path, encoding)
    with path.open(encoding=without_mark(encoding)) as file:
        found = list(_paragraphs(file))
    if not found:
        raise ValueError(f"{path.name} has no paragraph, all of its lines are empty")
    lines, texts = zip(*found, strict=True)
    columns: dict[str, list[Any]] = {TEXT: list(texts), FILE: [name or path.name] * len(texts)}
    facts = {"format": FORMAT, "encoding": encoding}
    return Table(path, columns, (TEXT, FILE), np.array(lines, dtype=np.int64), facts)


def read_plain_folder(folder: Path, encoding: str) -> Table:
    """The paragraphs of all files below a folder, by path; hidden ones are passed over."""
    return joined([read_plain(folder / name, encoding, name) for name in plain_files(folder)])


def plain_files(folder: Path) -> list[str]:
    """Paths from `folder` of the files of plain text below it; ValueError for none."""
    try:
        found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        raise ValueError(f"{folder.name} cannot be read: {error.strerror}") from error
    seen = [path for path in found if not any(part.startswith(".") for part in path.parts)]
    kept = [path.as_posix() for path in seen if path.suffix.lower() in SUFFIXES]
    if not kept:
        raise ValueError(f"{folder.name} holds no file that ends in {' or '.join(SUFFIXES)}")
    return kept


def is_plain(path: Path) -> bool:
    """Whether a path is a file of plain text (packed or not), or a folder of such alone."""
    if path.is_dir():
        names = sorted(f.name for f in path.rglob("*") if f.is_file() and f.name[0] != ".")
        return bool(names) and all(name.lower().endswith(SUFFIXES) for name in names)
    return any(suffix.lower() in SUFFIXES for suffix in path.suffixes[-2:])


def divided(table: Table, column: str, most: int) -> Table:
    """The table with a row for each passage of at most `most` characters of a column.

    The other cells of a long row stand in each of its rows; what is no text is left alone.
    """
    assert not table.parts, "rows of several files are divided file by file"
    passages = [
        list(_passages(value, most)) if isinstance(value, str) and value else [value]
        for value in table.columns[column]
    ]
    of_row = np.repeat(np.arange(len(passages)), list(map(len, passages)))
    if len(of_row) == len(passages):
        return table
    columns = {name: [values[row] for row in of_row] for name, values in table.columns.items()}
    columns[column] = [passage for row in passages for passage in row]
    # Every row is found where the long one begins.
    places = table.lines if table.lines is not None else np.arange(1, len(table) + 1)
    facts = {**table.facts, "rows_before_division": len(table)}
    return replace(table, columns=columns, lines=places[of_row], facts=facts)


def _paragraphs(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Each with the line on which it begins."""
    begin, held = 0, ""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            begin = begin if held else number
            held += line
        elif held:
            yield begin, held.rstrip("\n")
            held = ""
    if held:
        yield begin, held.rstrip("\n")


def _passages(text: str, most: int) -> Iterator[str]:
    """Parts of at most `most` characters: whole lines or sentences, else words, where it can."""
    while len(text) > most:
        ends = (text.rfind(end, most // 2, most) + len(end.rstrip(" ")) for end in ENDS)
        cut = next((place for place in ends if place >= most // 2), most)
        yield text[:cut].rstrip("\n ")
        text = text[cut:].lstrip("\n ")
    if text:
        yield text
