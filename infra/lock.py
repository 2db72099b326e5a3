"""One run of a project at a time in one home: a lock that dies with its process."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep


def lock_path(home: Path, project: str) -> Path:
    """Return where the lock of `project` lies."""
    return home / "locks" / f"{project}.lock"


def holder(home: Path, project: str) -> dict[str, str] | None:
    """Return what the process that runs `project` wrote down about itself, or None."""
    try:
        file = lock_path(home, project).open("r+")
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file.read())
    return None


def is_waiting(home: Path, run_id: str) -> bool:
    """Return whether a process of this id waits for any lock; one that was killed does not."""
    return holder(home, _wait_of(run_id)) is not None


@contextmanager
def alone(
    home: Path, project: str, about: dict[str, str], on_wait: Callable[[dict[str, str]], None]
) -> Iterator[None]:
    """Hold the lock of `project`; while another has it, wait and tell `on_wait` whose it is, once.

    `about` is what others are told of us, `id` among it; our process id is added.
    """
    path = lock_path(home, project)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+") as file:
        with _seen_waiting(lock_path(home, _wait_of(about["id"]))):
            _acquire(file.fileno(), lambda: on_wait(holder(home, project) or {}))
        file.truncate(0)
        file.write(json.dumps({"pid": str(os.getpid()), **about}))
        file.flush()
        yield


def _wait_of(run_id: str) -> str:
    return f"waiting-{run_id}"


@contextmanager
def _seen_waiting(path: Path) -> Iterator[None]:
    """Hold a lock of our own: as long as it is held, we live."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _acquire(descriptor: int, on_wait: Callable[[], None]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not told:
                on_wait()
                told = True
            sleep(0.2)


def _read(text: str) -> dict[str, str]:
    try:
        return {str(key): str(value) for key, value in json.loads(text).items()}
    except ValueError:  # its holder is about to write
        return {}
