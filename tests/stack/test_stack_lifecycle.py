"""A second stack beside the first: killed, swept, moved, started again, and gone."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra import stack as services
from infra.home import open_home
from infra.stack import s3_request
from infra.stack.doctor import examine
from infra.stack.ports import all_ports, listening
from infra.stack.processes import stack_processes
from infra.stack.sockets import socket_folder
from infra.stack.supervisor import Supervisor

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
UP = (
    sys.executable,
    "-c",
    "import sys; from pathlib import Path; from infra import stack\n"
    "stack.start(Path(sys.argv[1]), lambda said: print(said, flush=True))",
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder for a second stack, which is down again afterwards wherever it was moved to."""
    path = tmp_path / ".modelworks"
    yield path
    for each in (path, tmp_path / "another place"):
        if each.exists():
            services.stop(each)


def assert_nothing_left(path: Path) -> None:
    home = open_home(path)
    assert stack_processes(home, home.path / "ray") == []
    assert listening(all_ports(home)) == []
    assert not socket_folder(home).exists()


def test_killed_moved_and_started_again(stack: Path, home: Path) -> None:
    services.start(home, print)
    assert services.is_up(stack)
    assert services.is_up(home)
    assert s3_request.request(open_home(home), "PUT", "/modelworks/kept", body=b"kept") == 200

    os.kill(Supervisor(open_home(home)).pid(), signal.SIGKILL)
    time.sleep(0.5)
    assert [found.mend for found in examine(home)] == ["modelworks down"]
    services.stop(home)
    assert_nothing_left(home)
    assert services.is_up(stack)

    moved = home.with_name("another place")
    shutil.move(home, moved)
    services.start(moved, print)
    assert s3_request.request(open_home(moved), "HEAD", "/modelworks/kept") == 200
    services.stop(moved)
    assert_nothing_left(moved)


def test_an_interrupted_start_leaves_nothing(home: Path) -> None:
    starting = subprocess.Popen(
        [*UP, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        # Whatever runs in the background of a shell ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert starting.stdout is not None
    assert starting.stdout.readline() == "postgres is ready\n"
    starting.send_signal(signal.SIGINT)
    starting.wait(timeout=30)
    assert_nothing_left(home)


def test_a_supervisor_that_was_killed_leaves_its_services_to_the_next_start(home: Path) -> None:
    starting = subprocess.Popen(
        [*UP, str(home)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    )
    assert starting.stdout is not None
    assert starting.stdout.readline() == "postgres is ready\n"
    starting.kill()
    starting.wait()
    os.kill(Supervisor(open_home(home)).pid(), signal.SIGKILL)
    left = stack_processes(open_home(home), home / "ray")
    assert left
    services.stop(home)
    assert not [process for process in left if psutil.pid_exists(process.pid)]
    assert_nothing_left(home)
