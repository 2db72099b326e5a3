"""What is wrong with a home's stack, each with the command that mends it."""

import importlib.metadata
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.home import SECRETS, SERVICE_PORTS, Home, open_home
from infra.stack.ports import holder, listening
from infra.stack.processes import Listener, listeners, stack_processes
from infra.stack.status import READY, process_states, status
from infra.stack.supervisor import is_there

LEAST_FREE_BYTES = 2_000_000_000
# Pairs that install side by side, start, and then fail without a word.
CLASHES = {
    "sqlalchemy": ("2.1", "Prefect would silently schedule nothing"),
    "fastapi": ("0.154", "the Prefect server would refuse every filter"),
}
START, RESTART = "modelworks up", "modelworks down && modelworks up"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and the command that mends it."""

    problem: str
    mend: str


def examine(path: Path) -> list[Finding]:
    """Everything that is wrong; nothing when all is well."""
    try:
        home = open_home(path)
    except ValueError as error:
        return [Finding(str(error), START)]
    return [*_package_findings(), *_disk_findings(home), *_service_findings(home)]


def open_listeners(path: Path) -> list[Listener]:
    """Listeners of our processes that other hosts can reach."""
    home = open_home(path)
    found = listeners(stack_processes(home, home.path / "ray"))
    return [each for each in found if not each.is_loopback]


def _package_findings() -> Iterator[Finding]:
    for package, (limit, effect) in CLASHES.items():
        version = importlib.metadata.version(package)
        if _numbers(version) >= _numbers(limit):
            yield Finding(f"{package} {version} is installed: {effect}", "make install")


def _disk_findings(home: Home) -> Iterator[Finding]:
    free = shutil.disk_usage(home.path).free
    if free < LEAST_FREE_BYTES:
        yield Finding(
            f"{free / 1e9:.1f} GB are free on the disk of {home.path}, 2 GB are needed",
            f"free some space, or move {home.path} and name its new place in MODELWORKS_HOME",
        )
    for name in SECRETS:
        file = home.secret_file(name)
        if not file.exists():
            yield Finding(f"the secret {file} is missing", RESTART)
        elif file.stat().st_mode & 0o077:
            yield Finding(f"others may read the secret {file}", f"chmod 600 {file}")


def _service_findings(home: Home) -> Iterator[Finding]:
    if not is_there(home):
        yield from _down_findings(home)
        return
    for each in status(home.path):
        if each.state != READY:
            why = f" ({each.problem})" if each.problem else ""
            mend = RESTART if process_states(home)[each.name].state == "RUNNING" else START
            yield Finding(f"{each.name} is {each.state}{why}; its log is {each.log}", mend)


def _down_findings(home: Home) -> Iterator[Finding]:
    left = stack_processes(home, home.path / "ray")
    if left:
        names = ", ".join(f"{process.name()} (pid {process.pid})" for process in left[:5])
        yield Finding(
            f"the process manager is gone and {len(left)} processes are left: {names}",
            "modelworks down",
        )
        return
    yield Finding(f"the services of {home.path} are down", START)
    for port in listening(home.port(name) for name in SERVICE_PORTS):
        yield Finding(
            f"port {port} of this home is held by {holder(port)}", "modelworks up --new-ports"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
