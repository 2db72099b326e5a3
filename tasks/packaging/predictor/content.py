"""The bytes that a cell stands for: the name of a file, the bytes themselves, or their base64."""

import base64
import binascii
from pathlib import Path
from typing import Any


def names_file(cell: Any, suffixes: tuple[str, ...]) -> bool:
    """Whether a cell names a file. Base64 has no dot, so the two are never mistaken."""
    return isinstance(cell, str) and cell.lower().endswith(suffixes)


def bytes_of(
    cell: str | bytes | bytearray, suffixes: tuple[str, ...], forms: str, most_bytes: int
) -> bytes:
    """The bytes of a cell; ValueError for a file that cannot be read, or text that is no base64.

    `forms` says what a cell may be.
    """
    if isinstance(cell, bytes | bytearray):
        return bytes(cell)
    if names_file(cell, suffixes):
        return _content(Path(cell), most_bytes)
    try:
        return base64.b64decode(cell, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{short(cell)} must be {forms}") from error


def short(cell: Any) -> str:
    """A cell as it is shown in an error."""
    text = repr(cell)
    return text if len(text) <= 40 else text[:37] + "..."


def _content(path: Path, most_bytes: int) -> bytes:
    """The bytes of a file; ValueError when there are none, or far too many."""
    try:
        if not path.is_file():
            raise ValueError(f"{path.name}: {'not a file' if path.exists() else 'no such file'}")
        if path.stat().st_size > most_bytes:
            raise ValueError(f"{path.name} has more than {most_bytes >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path.name:.80} cannot be read: {error.strerror}") from error
