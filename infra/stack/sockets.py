"""A short folder for sockets: their paths must fit in about 100 bytes, a home's path need not."""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from infra.home import Home
from infra.stack.errors import StackError

KEPT_RAY_SESSIONS = 3
"""Whose logs are kept; Ray itself never removes any."""
# Not `tempfile.gettempdir()`: another shell's TMPDIR must lead to the same folder.
PARENT = Path("/tmp")  # noqa: S108


def socket_folder(home: Home) -> Path:
    """Where this home's sockets are while it runs."""
    digest = hashlib.sha256(str(home.path).encode()).hexdigest()[:10]
    return PARENT / f"mw-{os.getuid()}-{digest}"


def make_socket_folder(home: Home) -> Path:
    """The folder, empty, ours alone. Raises StackError when another user made it first."""
    folder = socket_folder(home)
    remove_socket_folder(home)
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StackError(f"{folder}, the folder for sockets, cannot be made: {error}") from None
    shutil.rmtree(home.path / "tmp", ignore_errors=True)
    for name in ("ray", "tmp"):
        # What is in them lies in the home; only its path is short.
        (home.path / name).mkdir(exist_ok=True, mode=0o700)
        (folder / name).symlink_to(home.path / name)
    _forget_old_sessions(home.path / "ray")
    return folder


def _forget_old_sessions(folder: Path) -> None:
    sessions = sorted(each for each in folder.glob("session_2*") if not each.is_symlink())
    for session in sessions[:-KEPT_RAY_SESSIONS]:
        shutil.rmtree(session, ignore_errors=True)


def remove_socket_folder(home: Home) -> None:
    """Remove the folder, and what weed puts beside it; the home is not touched."""
    shutil.rmtree(socket_folder(home), ignore_errors=True)
    for part in ("master", "volume", "filer", "s3"):
        port = home.port("s3_grpc" if part == "s3" else f"s3_{part}_grpc")
        with contextlib.suppress(OSError):
            (PARENT / f"seaweedfs-{part}-grpc-{port}.sock").unlink()
