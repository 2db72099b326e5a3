"""A packed file of rows (.zip with one file in it, .gz), unpacked for as long as it is read."""

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

SUFFIXES = (".zip", ".gz")
MOST_BYTES = 8 << 30
"""Unpacked; a small file can be made to unpack into any number of bytes."""


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The file inside `path`, under its name without the last suffix.

    Raises ValueError when it is no such archive, or holds more than one file.
    """
    with tempfile.TemporaryDirectory(prefix="unpacked-") as folder:
        target = Path(folder, path.stem)
        try:
            _unpack(path, target)
        except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path.name} cannot be unpacked: {error}") from error
        yield target


def _unpack(path: Path, target: Path) -> None:
    if path.suffix.lower() == ".gz":
        with gzip.open(path) as packed:
            _copy(cast("BinaryIO", packed), target, path)
        return
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        if len(files) != 1:
            raise ValueError(f"{path.name} holds {len(files)} files, one was expected")
        with archive.open(files[0]) as packed:
            _copy(cast("BinaryIO", packed), target, path)


def _copy(packed: BinaryIO, target: Path, path: Path) -> None:
    with target.open("wb") as file:
        while part := packed.read(1 << 20):
            file.write(part)
            if file.tell() > MOST_BYTES:
                raise ValueError(f"{path.name} unpacks to more than {MOST_BYTES >> 30} GiB")
