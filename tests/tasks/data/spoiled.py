"""Folders of files, one a row and a folder a class, after somebody spoiled them."""

from collections.abc import Callable
from pathlib import Path

Spoil = Callable[[Path], object]


def files_in(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def as_they_are(root: Path) -> None:
    del root


def emptied(root: Path) -> None:
    for path in files_in(root):
        path.unlink()


def without(folder: str) -> Spoil:
    """One class has no file."""
    return lambda root: emptied(root / folder)


def unlabelled(folder: str) -> Spoil:
    """The files of one class stand in no folder of it."""

    def spoil(root: Path) -> None:
        for path in files_in(root / folder):
            path.rename(root / path.name)

    return spoil


def linked(folder: str, name: str, content: bytes) -> Spoil:
    """A link leads to a file elsewhere."""

    def spoil(root: Path) -> None:
        outside = root.parent.parent / f"{root.parent.name}-outside"
        outside.write_bytes(content)
        (root / folder / name).symlink_to(outside)

    return spoil


def listed_with(line: str) -> Spoil:
    """A table of the files beside the folder, `rows.csv`, ends with this line."""

    def spoil(root: Path) -> None:
        names = [path.relative_to(root.parent).as_posix() for path in files_in(root)]
        rows = "".join(f"{name},{name.split('/')[1]}\n" for name in names)
        (root.parent / "rows.csv").write_text(f"file,side\n{rows}{line}\n")

    return spoil
