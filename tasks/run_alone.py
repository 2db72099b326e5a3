"""One run of a kind on a project at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from infra import progress
from infra.lock import alone, is_waiting
from infra.settings import load_settings


def search_lock(project: str) -> str:
    """Return the name of the lock of who writes to the studies of a project."""
    return f"{project}-search"


@contextmanager
def run_alone(lock: str, run: str, run_id: str) -> Iterator[None]:
    """Hold the lock; say whom we wait for while another run has it."""

    def say(holder: dict[str, str]) -> None:
        who = f"run {holder.get('run', '?')} (process {holder.get('pid', '?')})"
        progress.report("waiting", 0, 1, f"{lock} is held by {who}")

    with alone(load_settings().home, lock, {"run": run, "id": run_id}, say):
        yield


def waits(run_id: str) -> bool:
    """Return whether the run is alive, and waits for another."""
    return is_waiting(load_settings().home, run_id)
