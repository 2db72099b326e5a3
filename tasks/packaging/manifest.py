"""The manifest of a folder that travels: sha256 and size of every file, written last.

A folder without `manifest.json` is unfinished; one whose files disagree with it is refused.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

MANIFEST = "manifest.json"
FORMAT = 1


def sha256_of(path: Path) -> str:
    """Hex digest of one file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_files(folder: Path, names: Sequence[str]) -> str:
    """One digest of the named files, in whatever order they are named."""
    listing = {name: sha256_of(folder / name) for name in sorted(names)}
    canonical = json.dumps(listing, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def write_manifest(folder: Path, digest: str) -> None:
    """Write `manifest.json` over all files of `folder`; `digest` is the folder's identity."""
    files = {
        name: {"sha256": sha256_of(folder / name), "bytes": (folder / name).stat().st_size}
        for name in _files_of(folder)
    }
    text = json.dumps({"format": FORMAT, "digest": digest, "files": files}, indent=1)
    unfinished = folder / f"{MANIFEST}.{os.getpid()}.part"
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(folder / MANIFEST)


def verify_manifest(folder: Path) -> None:
    """Pass when every listed file is there and unchanged; ValueError names one that is not."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"{folder}: {MANIFEST} is missing, the folder is unfinished")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    if manifest.get("format") != FORMAT:
        raise ValueError(f"{path}: format {manifest.get('format')!r} must be {FORMAT}")
    for name, facts in manifest["files"].items():
        if not (folder / name).is_file():
            raise ValueError(f"{folder / name}: listed in {MANIFEST} and missing")
        found = sha256_of(folder / name)
        if found != facts["sha256"]:
            raise ValueError(f"{folder / name}: sha256 {found} must be {facts['sha256']}")


def _files_of(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return [name for name in names if not name.startswith(MANIFEST)]
