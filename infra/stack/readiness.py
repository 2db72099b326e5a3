"""Whether a service is ready: asked in its own protocol, with this home's own credential.

An answer to the right password is also the proof of identity: no other stack, and no leftover of
an older one, has it.
"""

import base64
import json
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

import psycopg2

from infra.home import USER, Home
from infra.stack import postgres, s3_request
from infra.stack.services import WORK_POOL

TIMEOUT_SECONDS = 3


def what_is_missing(service: str, home: Home, since: float) -> str | None:
    """None when the service, a process since that moment, is ready; else what it answered."""
    if service == "worker":
        return _guarded(lambda: _ask_for_worker(home, since))
    probes: dict[str, Callable[[Home], str | None]] = {
        "postgres": _ask_postgres,
        "s3": _ask_s3,
        "mlflow": _ask_mlflow,
        "prefect": _ask_prefect,
        "ray": _ask_ray,
    }
    return _guarded(lambda: probes[service](home))


def _guarded(probe: Callable[[], str | None]) -> str | None:
    try:
        return probe()
    except (OSError, ValueError, psycopg2.Error) as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _ask_postgres(home: Home) -> str | None:
    # A statement, not a connection: after a crash the port opens before the data is there.
    with postgres.connection(home, "postgres") as connected, connected.cursor() as cursor:
        cursor.execute("SELECT 1")
    return None


def _ask_s3(home: Home) -> str | None:
    status = s3_request.request(home, "GET", "/")
    return None if status == 200 else f"the list of buckets was answered with {status}"


def _ask_mlflow(home: Home) -> str | None:
    _ask(home, "mlflow", "/api/2.0/mlflow/experiments/get?experiment_id=0")
    return None


def _ask_prefect(home: Home) -> str | None:
    # `ready` asks the database too.
    for path in ("/api/health", "/api/ready", "/api/admin/version"):
        _ask(home, "prefect", path)
    return None


def _ask_for_worker(home: Home, since: float) -> str | None:
    # The pool stays READY for a minute after its worker died: only a new heartbeat counts.
    client = uuid.uuid4().hex
    token = json.loads(_ask(home, "prefect", f"/api/csrf-token?client={client}"))["token"]
    headers = {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": client}
    path = f"/api/work_pools/{WORK_POOL}/workers/filter"
    for worker in json.loads(_ask(home, "prefect", path, b"{}", headers)):
        if datetime.fromisoformat(worker["last_heartbeat_time"]).timestamp() >= since:
            return None
    return "the worker has not reported to Prefect yet"


def _ask_ray(home: Home) -> str | None:
    # Importing it takes 50 ms, importing ray two seconds.
    import grpc  # type: ignore[import-untyped]

    token = ("authorization", f"Bearer {home.secret('ray')}")
    with grpc.insecure_channel(f"127.0.0.1:{home.port('ray')}") as channel:
        call = channel.unary_unary("/ray.rpc.NodeInfoGcsService/CheckAlive")
        try:
            call(b"", timeout=TIMEOUT_SECONDS, metadata=(token,))
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"
    return None


def _ask(
    home: Home,
    service: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Body of an answer to our credential; OSError for any other answer."""
    credential = base64.b64encode(f"{USER}:{home.secret(service)}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{home.port(service)}{path}",
        data=body,
        headers={
            "Authorization": f"Basic {credential}",
            "Content-Type": "application/json",
            **headers,
        },
    )
    # No proxy: a shell that has one would send our password there.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
        return bytes(answer.read())
