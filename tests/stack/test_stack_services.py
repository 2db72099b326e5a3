"""The services of a real stack: ready, private, lean, and back after a kill."""

import os
import signal
import time
from http.client import HTTPConnection
from pathlib import Path

import boto3
import grpc
import psutil
import psycopg2
import pytest
from botocore.exceptions import ClientError

from infra import stack as services
from infra.environment import environment
from infra.home import Home, open_home
from infra.stack.doctor import examine, open_listeners
from infra.stack.ports import all_ports
from infra.stack.processes import listeners, stack_processes
from infra.stack.supervisor import Supervisor

pytestmark = pytest.mark.stack
MOST_MEMORY_BYTES = 1.6 * 2**30


@pytest.fixture
def home(stack: Path) -> Home:
    return open_home(stack)


def wait_until_ready(path: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while (problem := services.explain(path)) is not None:
        assert time.monotonic() < deadline, problem
        time.sleep(0.2)


def answer(home: Home, port: str, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", home.port(port), timeout=5)
    connection.request("GET", path)
    return connection.getresponse().status


def test_every_service_is_ready_and_nothing_is_wrong(stack: Path) -> None:
    wait_until_ready(stack)
    assert services.is_up(stack)
    assert {each.state for each in services.status(stack)} == {"ready"}
    assert examine(stack) == []


def test_starting_what_runs_is_quick_and_says_nothing(stack: Path) -> None:
    wait_until_ready(stack)
    said: list[str] = []
    began = time.monotonic()
    services.start(stack, said.append)
    assert time.monotonic() - began < 5
    assert said == []


@pytest.mark.parametrize(
    ("port", "path", "status"),
    [
        ("mlflow", "/api/2.0/mlflow/experiments/get?experiment_id=0", 401),
        ("prefect", "/api/admin/version", 401),
        ("s3", "/modelworks", 403),
        ("s3_filer", "/", 401),
    ],
)
def test_nobody_is_served_without_a_credential(
    home: Home, port: str, path: str, status: int
) -> None:
    assert answer(home, port, path) == status


def test_the_database_refuses_a_wrong_password(home: Home) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(
            host="127.0.0.1",
            port=home.port("postgres"),
            user="modelworks",
            password="x",
            dbname="prefect",
        )


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer x"),)], ids=["none", "wrong"])
def test_ray_refuses_whoever_has_not_the_token(
    home: Home, metadata: tuple[tuple[str, str], ...]
) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{home.port('ray')}") as channel:
        call = channel.unary_unary("/ray.rpc.NodeInfoGcsService/CheckAlive")
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", timeout=5, metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_the_bucket_is_versioned_and_has_one_winner(stack: Path) -> None:
    client = boto3.client("s3")
    assert client.get_bucket_versioning(Bucket="modelworks")["Status"] == "Enabled"
    key = f"test/{time.time_ns()}"
    client.put_object(Bucket="modelworks", Key=key, Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket="modelworks", Key=key, Body=b"2", IfNoneMatch="*")


def test_every_listener_is_on_loopback_and_in_the_block(home: Home) -> None:
    found = listeners(stack_processes(home, home.path / "ray"))
    assert open_listeners(home.path) == []
    # The worker's channel to the runs that it starts takes whatever port the system gives.
    chosen = {each.port for each in found if each.process != "prefect"}
    assert chosen <= set(all_ports(home))
    assert {home.port(name) for name in ("postgres", "s3", "mlflow", "prefect", "ray")} <= {
        each.port for each in found
    }


def test_the_memory_of_all_services_stays_below_the_bar(stack: Path) -> None:
    used = {each.name: each.memory_bytes for each in services.status(stack)}
    assert sum(used.values()) < MOST_MEMORY_BYTES, used


def test_a_job_runs_on_the_cluster(stack: Path) -> None:
    import ray

    from infra.cluster import connect

    connect()
    connect()
    try:
        assert ray.get(ray.remote(lambda: os.getpid()).remote(), timeout=60) != os.getpid()
    finally:
        ray.shutdown()


@pytest.mark.parametrize("service", ["mlflow", "s3"])
def test_a_killed_service_is_named_and_comes_back(home: Home, service: str) -> None:
    wait_until_ready(home.path)
    pid = Supervisor(home).states()[service].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=5)
    problem = services.explain(home.path) or ""
    assert problem.startswith(f"{service} is ")
    assert f"{service}.log" in problem
    assert "modelworks up" in problem
    wait_until_ready(home.path)
    assert Supervisor(home).states()[service].pid != pid


def test_the_environment_of_clients_is_that_of_the_home(stack: Path) -> None:
    assert environment(stack).items() <= dict(os.environ).items()
