"""Where labelled rows come from: a file beside the project, or a file inside a package."""

import importlib.util
from pathlib import Path, PurePosixPath

ALLOWED = "a path (from the project file's folder), package://NAME/FILE or sklearn://digits"
BUNDLED = "sklearn"
"""Scheme of the data that scikit-learn ships."""


def resolve_source(
    source: str, base: Path, field: str = "data.source", *, folder: bool = False
) -> Path:
    """The local file that `source` names; relative paths start at `base`, errors with `field`.

    Raises `ValueError` for an unknown scheme, a missing file, or a directory where no `folder` may
    stand.
    """
    scheme, separator, rest = source.partition("://")
    if not separator:
        path = base / Path(source).expanduser()
    elif scheme == "package":
        path = _packaged(source, rest, field)
    elif source == f"{BUNDLED}://digits":
        path = _packaged(source, "sklearn/datasets/data/digits.csv.gz", field)
    else:
        raise ValueError(f"{field} {source!r}: {scheme}:// cannot be read, allowed: {ALLOWED}")
    return _existing(path, f"{field} {source!r}", folder)


def _existing(path: Path, what: str, folder: bool) -> Path:
    try:
        if folder and path.is_dir():
            return path
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
