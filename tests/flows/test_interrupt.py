"""No Ctrl-C and no SIGTERM gets lost, wherever it falls."""

import subprocess
import sys

import pytest

PLAIN = "os.kill(os.getpid(), signal.SIGTERM)"
IN_A_CALLBACK = """
class Kept: ...
kept = Kept()
watcher = weakref.ref(kept, lambda _: os.kill(os.getpid(), signal.SIGTERM))
del kept
"""


@pytest.mark.parametrize("where", [PLAIN, IN_A_CALLBACK])
def test_sigterm_interrupts(where: str) -> None:
    script = f"""
import os, signal, time, weakref
from flows.cli.interrupt import heed
heed()
try:
    {where.strip().replace(chr(10), chr(10) + "    ")}
    time.sleep(30)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


def test_other_lost_errors_are_still_said() -> None:
    script = """
from flows.cli.interrupt import heed
heed()
class Broken:
    def __del__(self):
        raise RuntimeError("in a finaliser")
Broken()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "in a finaliser" in done.stderr
