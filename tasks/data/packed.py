"""A packed file of rows (.zip with one file in it, .gz), unpacked for as long as it is read."""

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath, PureWindowsPath
from typing import BinaryIO, cast

SUFFIXES = (".zip", ".gz")
OF_MACOS = "__MACOSX/"
"""Where the archiver of macOS puts what it knows of each file."""
MOST_BYTES = 8 << 30
"""Unpacked; a small file can be made to unpack into any number of bytes."""


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The file inside `path`, under the name of `path` without the last suffix; of a .zip whose
    name then says nothing, with its own suffix.

    Raises ValueError when it is no such archive, or holds more than one file.
    """
    with tempfile.TemporaryDirectory(prefix="unpacked-") as folder:
        try:
            target = _unpack(path, Path(folder))
        except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, RuntimeError, zlib.error) as error:
            raise ValueError(f"{path.name} cannot be unpacked: {error}") from error
        yield target


def is_telling(path: Path) -> bool:
    """Whether the name of an archive says what the file in it is."""
    return PurePath(path.stem).suffix[1:].isalpha()


def _unpack(path: Path, folder: Path) -> Path:
    if path.suffix.lower() == ".gz":
        with gzip.open(path) as packed:
            return _copy(cast("BinaryIO", packed), folder / path.stem, path)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        names = [name for name in names if not name.startswith(OF_MACOS)]
        if len(names) != 1:
            raise ValueError(f"{path.name} holds {len(names)} files, one was expected")
        with archive.open(names[0]) as packed:
            return _copy(cast("BinaryIO", packed), folder / _name_of(names[0], path), path)


def _name_of(inside: str, path: Path) -> str:
    """That of the archive, with the end of the name in it where its own says nothing."""
    end = PureWindowsPath(inside).suffix  # which is divided by both kinds of slashes
    # An archive in an archive goes by the outer name, which gets shorter: there is an end to them.
    return path.stem if is_telling(path) or end.lower() in SUFFIXES else f"{path.stem}{end}"


def _copy(packed: BinaryIO, target: Path, path: Path) -> Path:
    with target.open("wb") as file:
        while part := packed.read(1 << 20):
            file.write(part)
            if file.tell() > MOST_BYTES:
                raise ValueError(f"{path.name} unpacks to more than {MOST_BYTES >> 30} GiB")
    return target
