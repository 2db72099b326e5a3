"""What the services of a home are doing, and what mends those that are not."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.home import Home, open_home
from infra.stack.processes import proportional_bytes, with_children
from infra.stack.readiness import what_is_missing
from infra.stack.services import SERVICES, Service
from infra.stack.supervisor import ProcessState, Supervisor

READY, STARTING, FAILING, DOWN = "ready", "starting", "failing", "down"
STARTS = ("STARTING", "BACKOFF")


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service as a person wants to know it."""

    name: str
    state: str
    """`ready`, `starting`, `failing` (it runs and does not answer as it should) or `down`."""
    pid: int | None
    port: int
    memory_bytes: int
    log: Path
    problem: str | None = None


def status(path: Path) -> list[ServiceStatus]:
    """Every service of a home, asked now. Raises ValueError when the home has no stack."""
    home = open_home(path)
    states = process_states(home)
    return [_service_status(service, states.get(service.name), home) for service in SERVICES]


def explain(path: Path) -> str | None:
    """One sentence about a service that is not ready: its name, its log, what mends it."""
    try:
        home = open_home(path)
    except ValueError as error:
        return str(error)
    states = process_states(home)
    if not states:
        return f"the services of {home.path} are down; `modelworks up` starts them"
    for service in SERVICES:
        found = _service_status(service, states.get(service.name), home, measured=False)
        if found.state != READY:
            return sentence(found)
    return None


def sentence(found: ServiceStatus) -> str:
    """What is wrong with a service, where it is written down, and what mends it."""
    why = f" ({found.problem})" if found.problem else ""
    mend = (
        "`modelworks down`, then `modelworks up`" if found.state == FAILING else "`modelworks up`"
    )
    return f"{found.name} is {found.state}{why}; its log is {found.log}; {mend} starts it again"


def process_states(home: Home) -> dict[str, ProcessState]:
    """What the process manager knows; nothing when it is not there."""
    try:
        return Supervisor(home).states()
    except OSError:
        return {}


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """The processes and all that they started."""
    return with_children(psutil.Process(pid) for pid in pids if psutil.pid_exists(pid))


def _service_status(
    service: Service, known: ProcessState | None, home: Home, *, measured: bool = True
) -> ServiceStatus:
    pid = known.pid if known else None
    answer = what_is_missing(service.name, home, known.since) if known and pid else None
    return ServiceStatus(
        name=service.name,
        state=_state(known, answer),
        pid=pid,
        port=home.port(service.port),
        memory_bytes=proportional_bytes(family([pid])) if pid and measured else 0,
        log=home.logs / f"{service.name}.log",
        problem=answer,
    )


def _state(known: ProcessState | None, answer: str | None) -> str:
    if known is None:
        return DOWN
    if known.state in STARTS:
        return STARTING
    if known.state != "RUNNING":
        return DOWN
    return READY if answer is None else FAILING
