"""What one installation keeps in its folder: its record, its secrets and its block of ports."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1
BLOCK_SIZE = 200
SERVICE_PORTS = (
    "postgres",
    "s3",
    "s3_grpc",
    "s3_master",
    "s3_master_grpc",
    "s3_volume",
    "s3_volume_grpc",
    "s3_filer",
    "s3_filer_grpc",
    "mlflow",
    "prefect",
    "ray",
    "ray_node_manager",
    "ray_object_manager",
    "ray_agent_http",
    "ray_agent_grpc",
    "ray_runtime_env",
    "ray_metrics",
    "ray_dashboard",
    "ray_dashboard_metrics",
)
FIRST_RAY_WORKER = 30
SECRETS = (
    "postgres",
    "s3_access_key",
    "s3_secret_key",
    "s3_passphrase",
    "s3_inner",
    "mlflow",
    "mlflow_session",
    "prefect",
    "ray",
    "supervisor",
)
USER = "modelworks"


@dataclass(frozen=True, slots=True)
class Home:
    """One folder that holds everything a stack stores."""

    path: Path
    first_port: int

    def port(self, name: str) -> int:
        """Port of one listener of this home, named as in `SERVICE_PORTS`."""
        return self.first_port + SERVICE_PORTS.index(name)

    @property
    def ray_worker_ports(self) -> range:
        """Ports that Ray gives to its workers and drivers."""
        return range(self.first_port + FIRST_RAY_WORKER, self.first_port + BLOCK_SIZE)

    def secret_file(self, name: str) -> Path:
        """File of one secret; only its owner may read it."""
        return self.path / "secrets" / name

    def secret(self, name: str) -> str:
        """One secret of this home."""
        return self.secret_file(name).read_text()

    @property
    def logs(self) -> Path:
        """Folder with one log file a service."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Folder of what is written anew at each start: configurations, pids, the lock."""
        return self.path / "run"


def record_file(path: Path) -> Path:
    """File that makes a folder a home."""
    return path / "stack.json"


def open_home(path: Path) -> Home:
    """The home in a folder. Raises ValueError when no stack was ever started there."""
    path = path.absolute()
    try:
        record = json.loads(record_file(path).read_text())
    except FileNotFoundError:
        message = f"{path} holds no stack yet; `modelworks up` makes one"
        raise ValueError(message) from None
    except (json.JSONDecodeError, NotADirectoryError) as error:
        raise ValueError(f"{record_file(path)} cannot be read: {error}") from None
    if record.get("format") != FORMAT:
        message = f"{record_file(path)} has format {record.get('format')}, this version knows 1"
        raise ValueError(message)
    return Home(path, int(record["first_port"]))


def record_home(path: Path, first_port: int) -> Home:
    """Write the record and whatever secret is missing; what is there already stays."""
    path = path.absolute()
    for folder in (path, path / "secrets", path / "run", path / "logs"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in SECRETS:
        _write_new_secret(path / "secrets" / name)
    write_private(record_file(path), json.dumps({"format": FORMAT, "first_port": first_port}))
    return Home(path, first_port)


def write_private(file: Path, text: str) -> None:
    """Replace a file in one step; only its owner may read it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _write_new_secret(file: Path) -> None:
    if not file.exists() or not file.stat().st_size:
        write_private(file, secrets.token_urlsafe(32))
