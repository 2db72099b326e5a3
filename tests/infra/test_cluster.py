"""What is said when the cluster has lost its head: a real one, started by the process itself."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from infra import cluster

SCRIPT = """
import functools, time
import ray
from infra import cluster
ray.init = functools.partial(ray.init, num_cpus=1, include_dashboard=False)
cluster.LOOK_SECONDS = 0.1
cluster.connect()
print(ray.get_runtime_context().gcs_address, flush=True)
ray.get(ray.remote(lambda: time.sleep(600)).remote())
"""
SETTINGS = (
    "MODELWORKS_HOME MODELWORKS_DATABASE_URL AWS_ENDPOINT_URL_S3 AWS_ACCESS_KEY_ID "
    "AWS_SECRET_ACCESS_KEY MLFLOW_TRACKING_URI MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD "
    "PREFECT_API_URL PREFECT_API_AUTH_STRING"
)


def test_a_lost_head_ends_the_process_in_one_sentence() -> None:
    given = {**dict.fromkeys(SETTINGS.split(), "none"), "RAY_ADDRESS": "local"}
    root = Path(__file__).resolve().parents[2]
    waiting = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=root, env={**os.environ, **given}, start_new_session=True,
    )  # fmt: skip
    try:
        assert waiting.stdout is not None
        address = waiting.stdout.readline().strip()
        children = psutil.Process(waiting.pid).children(recursive=True)
        [head] = [child for child in children if child.name() == "gcs_server"]
        head.kill()
        _, said = waiting.communicate(timeout=50)  # Ray itself ends a process after 60
    finally:
        with suppress(ProcessLookupError):
            os.killpg(waiting.pid, signal.SIGKILL)
    assert waiting.returncode == 1
    assert said.endswith(
        f"error: Ray's head at {address} is gone; `modelworks doctor` says why, the same command "
        "goes on from here\n"
    )


def test_who_has_left_a_cluster_goes_on_without_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.0)
    cluster.watch_head("127.0.0.1:1")  # nobody is there: to watch it on would end this process
