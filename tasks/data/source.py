"""Where labelled rows come from: a file beside the project, or a file inside a package."""

import hashlib
import importlib.util
import json
from pathlib import Path, PurePosixPath

from tasks.data.config import DataConfig

ALLOWED = "a path (from the project file's folder) or package://NAME/FILE"


def resolve_source(source: str, base: Path, field: str = "data.source") -> Path:
    """The local file that `source` names; relative paths start at `base`, errors with `field`.

    Raises `ValueError` for an unknown scheme, a missing file, or a directory.
    """
    scheme, separator, rest = source.partition("://")
    if not separator:
        path = base / Path(source).expanduser()
    elif scheme == "package":
        path = _packaged(source, rest, field)
    else:
        raise ValueError(f"{field} {source!r}: {scheme}:// cannot be read, allowed: {ALLOWED}")
    return _existing(path, f"{field} {source!r}")


def source_digest(config: DataConfig, base: Path) -> str:
    """The sha256 of the source's bytes; of several files, of which is which and their bytes."""
    digest = _file_digest(config.source, base, "data.source")
    if not config.split.files:
        return digest
    files = {
        split: _file_digest(file, base, f"data.split.{split}")
        for split, file in config.split.files.items()
    }
    whole = json.dumps({"source": digest, **files}, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _file_digest(source: str, base: Path, field: str) -> str:
    path = resolve_source(source, base, field)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{field} {source!r}: {error.strerror}") from error


def _existing(path: Path, what: str) -> Path:
    try:
        if path.is_dir():
            raise ValueError(f"{what} is a directory, a file was expected")
        if not path.exists():
            raise ValueError(f"{what}: no such file ({path.absolute()})")
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise ValueError(f"{what}: {error.strerror}") from error
    if not path.is_file():
        raise ValueError(f"{what} is not a regular file")
    return path


def _packaged(source: str, rest: str, field: str) -> Path:
    """A file inside an installed package, found without importing it: the import may fail."""
    name, _, inside = rest.partition("/")
    if not name.isidentifier() or not inside or ".." in PurePosixPath(inside).parts:
        raise ValueError(f"{field} {source!r} must be package://NAME/FILE, without '..'")
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"{field} {source!r}: no package {name!r} is installed")
    return Path(spec.submodule_search_locations[0]) / inside
