"""Folders that travel: what their manifest promises, and whether a local copy holds it."""

import hashlib
import json
import shutil
from pathlib import Path, PurePosixPath

MANIFEST = "manifest.json"
Files = dict[str, dict[str, str | int]]
"""Name -> {"sha256": ..., "bytes": ...}."""


def promised_files(manifest: bytes, uri: str) -> Files:
    """Files that the manifest of the folder at `uri` lists; none of them leaves the folder."""
    try:
        files: Files = json.loads(manifest)["files"]
        names = [name for name, entry in files.items() if (entry["sha256"], entry["bytes"])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{uri}{MANIFEST} is not a manifest: {error!r}") from error
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or name in ("", MANIFEST):
            raise ValueError(f"{uri}{MANIFEST} names {name!r}, which is no file inside the folder")
    return files


def check_file(path: Path, name: str, promised: dict[str, str | int]) -> None:
    """Raise ValueError when the file is not the one that the manifest promised."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != promised["sha256"]:
        raise ValueError(f"{name} has sha256 {found}, its manifest says {promised['sha256']}")


def is_whole(folder: Path, files: Files) -> bool:
    """Whether every file has its size; every byte was hashed before the folder got its name."""
    try:
        return all((folder / n).stat().st_size == entry["bytes"] for n, entry in files.items())
    except OSError:
        return False


def move_into_place(draft: Path, folder: Path, files: Files) -> None:
    """Give a verified draft its name; another process may have been faster, with equal content."""
    if folder.exists() and not is_whole(folder, files):
        shutil.rmtree(folder)
    try:
        draft.rename(folder)
    except OSError:
        if not is_whole(folder, files):
            raise
