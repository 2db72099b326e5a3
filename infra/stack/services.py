"""The services of a stack: how each is started, on which ports, after which others."""

import json
import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.environment import QUIET, database_url, environment, ray_variables
from infra.home import USER, Home, write_private
from infra.stack import postgres
from infra.stack.processes import MARK
from infra.stack.sockets import socket_folder

BUCKET = "modelworks"
WORK_POOL = "modelworks"
ROOT = Path(__file__).parents[2]
# Ray's store of objects between processes, in shared memory: used only as it fills.
OBJECT_STORE_BYTES = 400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One program that the process manager keeps alive."""

    name: str
    port: str
    needs: tuple[str, ...] = ()
    """Services that must be ready before this one starts."""
    stop_signal: str = "TERM"
    stop_seconds: int = 4
    """Between the request to end and the end."""


# In the order of start; the slow ones come first among equals.
SERVICES = (
    # TERM would wait until the last client has left.
    Service(name="postgres", port="postgres", stop_signal="INT"),
    # Left to itself weed takes 15 s; killed after 4 it loses nothing.
    Service(name="s3", port="s3"),
    # A head keeps nothing, and its children end with it.
    Service(name="ray", port="ray", stop_seconds=1),
    Service(name="prefect", port="prefect", needs=("postgres",)),
    Service(name="mlflow", port="mlflow", needs=("postgres",)),
    Service(name="worker", port="prefect", needs=("prefect",)),
)


def write_configurations(home: Home) -> None:
    """Write anew all that services read at their start; no path outlives a moved home."""
    write_private(home.run / "s3.json", _s3_identities(home))
    write_private(home.run / "mlflow.ini", _mlflow_users(home))


def command_of(service: str, home: Home) -> tuple[str, ...]:
    """Program and arguments of a service; never a secret, because argv is public."""
    commands = {
        "postgres": postgres.server_command,
        "s3": _s3_command,
        "mlflow": _mlflow_command,
        "prefect": _prefect_command,
        "ray": _ray_command,
        "worker": _worker_command,
    }
    return commands[service](home)


def environment_of(service: str, home: Home) -> dict[str, str]:
    """The whole environment of a service: nothing of the caller's shell gets in."""
    own: dict[str, Mapping[str, str]] = {
        "s3": _s3_environment(home),
        "mlflow": _mlflow_environment(home),
        "prefect": _prefect_environment(home),
        "ray": _ray_environment(home),
        "worker": environment(home.path),
    }
    return {**_plain_environment(home), **own.get(service, {}), MARK: str(home.path)}


def script(name: str) -> str:
    """A program that a wheel brought."""
    return str(Path(sysconfig.get_path("scripts")) / name)


def _plain_environment(home: Home) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("HOME", "USER", "TZ") if name in os.environ}
    scripts = sysconfig.get_path("scripts")
    return {
        **kept,
        "LANG": "C.UTF-8",
        # glibc keeps a pool of memory for each thread otherwise, eight for each core.
        "MALLOC_ARENA_MAX": "2",
        "PATH": f"{scripts}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONPATH": str(ROOT),
        # Prefect makes /tmp/runner_storage, which belongs to the first user of the machine.
        "TMPDIR": str(socket_folder(home) / "tmp"),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "*",
    }


def _s3_identities(home: Home) -> str:
    keys = {"accessKey": home.secret("s3_access_key"), "secretKey": home.secret("s3_secret_key")}
    owner = {"name": USER, "credentials": [keys], "actions": ["Admin", "Read", "Write", "List"]}
    return json.dumps({"identities": [owner]})


def _s3_environment(home: Home) -> dict[str, str]:
    # Its filer and its volumes answer HTTP behind the back of S3: only to those with this key.
    keys = ("SIGNING_KEY", "SIGNING_READ_KEY", "FILER_SIGNING_KEY", "FILER_SIGNING_READ_KEY")
    return {
        **{f"WEED_JWT_{key}": home.secret("s3_inner") for key in keys},
        # With a limit of 192 MiB its collector never rests: 10 % of a core when idle, now 0.3.
        "GOMEMLIMIT": "384MiB",
        "GOGC": "50",
        "WEED_S3_SSE_KEK_PASSPHRASE": home.secret("s3_passphrase"),
    }


def _s3_command(home: Home) -> tuple[str, ...]:
    sockets = socket_folder(home)
    options = {
        "dir": home.path / "s3",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.port": home.port("s3_master"),
        "master.port.grpc": home.port("s3_master_grpc"),
        "master.volumeSizeLimitMB": 1024,
        "master.telemetry": "false",
        # After kill -9 the default election takes 17 s, this one 3 s.
        "master.electionTimeout": "1s",
        "volume.port": home.port("s3_volume"),
        "volume.port.grpc": home.port("s3_volume_grpc"),
        "volume.max": 0,
        "volume.minFreeSpace": 1,
        "volume.preStopSeconds": 0,
        "filer": "true",
        "filer.port": home.port("s3_filer"),
        "filer.port.grpc": home.port("s3_filer_grpc"),
        "filer.localSocket": sockets / "filer.sock",
        "s3": "true",
        "s3.port": home.port("s3"),
        "s3.port.grpc": home.port("s3_grpc"),
        "s3.config": home.run / "s3.json",
        "s3.localSocket": sockets / "s3.sock",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.autoCreateBucket": "false",
        "s3.allowDeleteBucketNotEmpty": "false",
    }
    arguments = [f"-{name}={value}" for name, value in options.items()]
    return (script("weed"), "-logtostderr=true", "server", *arguments)


def _mlflow_users(home: Home) -> str:
    url = database_url(home, "mlflow", "postgresql+psycopg2").replace("%", "%%")
    # Without the cache every request hashes the password anew: 140-200 ms.
    return (
        f"[mlflow]\ndefault_permission = NO_PERMISSIONS\ndatabase_uri = {url}\n"
        "auth_cache_ttl_seconds = 60\n"
    )


def _mlflow_command(home: Home) -> tuple[str, ...]:
    # The application itself instead of `mlflow server`: one process fewer (180 MB), and none
    # that outlives its parent and goes on holding the port.
    return (*_uvicorn(home, "mlflow"), "--factory", "mlflow.server.auth:create_app")


def _mlflow_environment(home: Home) -> dict[str, str]:
    store = database_url(home, "mlflow", "postgresql+psycopg2")
    clients = environment(home.path)
    return {
        **QUIET,
        **{name: value for name, value in clients.items() if name.startswith("AWS_")},
        "MLFLOW_S3_ENDPOINT_URL": clients["AWS_ENDPOINT_URL_S3"],
        # What `mlflow server` hands to its workers (mlflow/server/constants.py).
        "_MLFLOW_SERVER_FILE_STORE": store,
        "_MLFLOW_SERVER_REGISTRY_STORE": store,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": f"s3://{BUCKET}/mlflow",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SGI_NAME": "uvicorn",
        "MLFLOW_AUTH_ADMIN_USERNAME": USER,
        "MLFLOW_AUTH_ADMIN_PASSWORD": home.secret("mlflow"),
        "MLFLOW_AUTH_CONFIG_PATH": str(home.run / "mlflow.ini"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": home.secret("mlflow_session"),
        # Twelve processes, and a door for running code.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def _prefect_command(home: Home) -> tuple[str, ...]:
    return (*_uvicorn(home, "prefect"), "--factory", "prefect.server.api.server:create_app")


def _prefect_environment(home: Home) -> dict[str, str]:
    address = f"http://127.0.0.1:{home.port('prefect')}/api"
    return {
        **QUIET,
        "PREFECT__SERVER_FINAL": "1",
        "PREFECT_HOME": str(home.path / "prefect"),
        "PREFECT_API_DATABASE_CONNECTION_URL": database_url(home, "prefect", "postgresql+asyncpg"),
        "PREFECT_SERVER_API_AUTH_STRING": f"{USER}:{home.secret('prefect')}",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_UI_API_URL": address,
        # The default is inside the installed package, which two stacks would share.
        "PREFECT_UI_STATIC_DIRECTORY": str(home.path / "prefect" / "ui"),
    }


def _ray_command(home: Home) -> tuple[str, ...]:
    options = {
        "port": home.port("ray"),
        "node-manager-port": home.port("ray_node_manager"),
        "object-manager-port": home.port("ray_object_manager"),
        "min-worker-port": home.ray_worker_ports.start,
        "max-worker-port": home.ray_worker_ports.stop - 1,
        "dashboard-port": home.port("ray_dashboard"),
        "dashboard-agent-listen-port": home.port("ray_agent_http"),
        "dashboard-agent-grpc-port": home.port("ray_agent_grpc"),
        "runtime-env-agent-port": home.port("ray_runtime_env"),
        "metrics-export-port": home.port("ray_metrics"),
        "include-dashboard": "false",
        "include-log-monitor": "false",
        "object-store-memory": OBJECT_STORE_BYTES,
        "object-spilling-directory": home.path / "ray" / "spill",
        "temp-dir": socket_folder(home) / "ray",
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    flags = ("--head", "--block", "--no-monitor", "--disable-usage-stats")
    return (script("ray"), "start", *flags, *arguments)


def _ray_environment(home: Home) -> dict[str, str]:
    return {
        **QUIET,
        **ray_variables(home),
        "DASHBOARD_METRIC_PORT": str(home.port("ray_dashboard_metrics")),
        "RAY_START_HOOK": "infra.stack.ray_hook.adapt",
        # Ray's workers are niced by 15: on a machine that does something else they starve.
        "RAY_worker_niceness": "0",
        # An idle worker holds half a GiB of torch for as long as the head lives, one for each core.
        "RAY_num_workers_soft_limit": "0",
        "RAY_idle_worker_killing_time_threshold_ms": "10000",
        # Kernels are kept for every shape of batch that was met, 1,024 of them: a worker grows by
        # 13 MB a step. Fewer cost no time that can be measured (LOG.md).
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32",
        "LRU_CACHE_CAPACITY": "32",
    }


def _worker_command(home: Home) -> tuple[str, ...]:
    assert home
    pool = ("--pool", WORK_POOL, "--type", "process", "--name", WORK_POOL)
    return (script("prefect"), "worker", "start", *pool, "--install-policy", "never")


def _uvicorn(home: Home, name: str) -> tuple[str, ...]:
    address = ("--host", "127.0.0.1", "--port", str(home.port(name)))
    return (sys.executable, "-m", "uvicorn", *address, "--no-access-log")
