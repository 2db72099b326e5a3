"""What is said when the cluster has lost its head."""

import socket
import subprocess
import sys

SCRIPT = """
import sys, threading, time
from infra import cluster
cluster.LOOK_SECONDS = 0.05
threading.Thread(target=cluster.watch_head, args=(sys.argv[1], threading.Event())).start()
print("looking", flush=True)
sys.stdin.readline()
time.sleep(60)
"""


def test_a_lost_head_ends_the_process_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        watching = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert watching.stdout is not None
        assert watching.stdout.readline() == "looking\n"
        assert watching.poll() is None
    _, said = watching.communicate(timeout=60)
    assert watching.returncode == 1
    assert said == (
        f"error: Ray's head at {address} is gone; `modelworks doctor` says why, the same command "
        "goes on from here\n"
    )
