"""A command that is killed once it has come so far."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def kill_when(
    is_so_far: Callable[[], Any], command: list[str], folder: Path, what: str, most_seconds: float
) -> None:
    """Start the command in `folder`, and kill it when it has come so far; what it was not to be
    over before is said in `what`."""
    killed = subprocess.Popen(
        command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder
    )
    began = time.monotonic()
    while not is_so_far():
        assert killed.poll() is None, f"it was over before {what}"
        assert time.monotonic() - began < most_seconds
        time.sleep(0.1)
    killed.kill()
    killed.wait()
