"""Who has a project, who waits for it, and who is gone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.lock import alone, is_waiting

ROOT = Path(__file__).resolve().parents[2]
WAITS = """
import sys
from pathlib import Path
from infra.lock import alone
home, name = sys.argv[1:]
with alone(Path(home), "flights", {"run": name, "id": name}, lambda _: print("waits", flush=True)):
    print("works", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def waiter(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that waits for the lock that this one has."""
    with alone(tmp_path, "flights", {"run": "first", "id": "first"}, print):
        process = subprocess.Popen(
            [sys.executable, "-c", WAITS, str(tmp_path), "second"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        yield process
    process.kill()
    process.communicate()


def test_one_that_waits_is_seen(waiter: subprocess.Popen[str], tmp_path: Path) -> None:
    assert is_waiting(tmp_path, "second")
    assert not is_waiting(tmp_path, "first"), "it works"
    assert not is_waiting(tmp_path, "unheard-of")


def test_one_that_was_killed_while_it_waited_is_not(
    waiter: subprocess.Popen[str], tmp_path: Path
) -> None:
    waiter.kill()
    waiter.wait()
    assert not is_waiting(tmp_path, "second")


def test_nothing_is_left_of_a_wait(tmp_path: Path) -> None:
    with alone(tmp_path, "flights", {"run": "first", "id": "first"}, print):
        assert [path.name for path in (tmp_path / "locks").iterdir()] == ["flights.lock"]
