"""Starting and stopping a stack, whatever the last one left behind."""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.home import Home, open_home, record_file, record_home
from infra.stack import postgres, s3_request
from infra.stack.errors import StackError
from infra.stack.ports import all_ports, check_ports, free_block, listening
from infra.stack.processes import end, stack_processes
from infra.stack.readiness import what_is_missing
from infra.stack.services import BUCKET, SERVICES, Service, write_configurations
from infra.stack.sockets import remove_socket_folder
from infra.stack.supervisor import Supervisor, is_there, start_supervisor

START_SECONDS = 240
LEAST_FREE_BYTES = 300_000_000
Progress = Callable[[str], None]
VERSIONED = (
    b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Status>Enabled</Status></VersioningConfiguration>"
)


def start(path: Path, progress: Progress, new_ports: bool = False) -> None:
    """Bring the stack of a home up, or what is missing of it. Raises StackError."""
    home = _prepare_home(path, new_ports)
    with _locked(home):
        if not is_there(home):
            _start_afresh(home, progress)
        else:
            _bring_up(Supervisor(home), home, progress)


def stop(path: Path) -> None:
    """End every process of the home's stack; nothing of it holds a port afterwards."""
    home = open_home(path)
    with _locked(home):
        _stop_all(home)


def is_up(path: Path) -> bool:
    """Whether every service of the home runs, as its process manager sees it."""
    try:
        states = Supervisor(open_home(path)).states()
    except (ValueError, OSError):
        return False
    return all(states[s.name].state == "RUNNING" for s in SERVICES)


def _prepare_home(path: Path, new_ports: bool) -> Home:
    path = path.absolute()
    try:
        known = record_file(path).exists()
        if known and new_ports and is_there(open_home(path)):
            raise StackError("the stack runs; `modelworks down` first, then take other ports")
        _check_disk(path)
        first = open_home(path).first_port if known and not new_ports else free_block(path)
        return record_home(path, first)
    except OSError as error:
        raise StackError(f"the home {path} cannot be written: {error.strerror}") from None


def _check_disk(path: Path) -> None:
    present = next(folder for folder in (path, *path.parents) if folder.is_dir())
    free = shutil.disk_usage(present).free
    if free < LEAST_FREE_BYTES:
        raise StackError(
            f"{free / 1e6:.0f} MB are free on the disk of {path}, "
            f"{LEAST_FREE_BYTES / 1e6:.0f} MB are needed to start; free some space"
        )


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    """Hold the home for one start or stop; a second one waits."""
    with (home.run / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back, and so does the end of the process


def _start_afresh(home: Home, progress: Progress) -> None:
    try:
        _sweep(home)
        check_ports(home)
        write_configurations(home)
        postgres.initialise(home)
        _bring_up(start_supervisor(home), home, progress)
    except OSError as error:
        _stop_all(home)
        raise StackError(f"the stack does not start in {home.path}: {error}") from None
    except BaseException:
        # Ctrl-C too: half a stack is worse than none.
        _stop_all(home)
        raise


def _bring_up(supervisor: Supervisor, home: Home, progress: Progress) -> None:
    """Start each service as soon as those that it needs are ready."""
    waiting = {service.name: service for service in SERVICES}
    started: set[str] = set()
    woken: set[str] = set()
    deadline = time.monotonic() + START_SECONDS
    while waiting:
        for service in list(waiting.values()):
            if not waiting.keys() & set(service.needs) and service.name not in started:
                woken |= _woken(supervisor, service)
                started.add(service.name)
            if service.name in started and _is_ready(supervisor, service, home):
                del waiting[service.name]
                _complete(service, home)
                if service.name in woken:
                    progress(f"{service.name} is ready")
        if time.monotonic() > deadline:
            raise StackError(_too_late(next(iter(waiting)), home))
        time.sleep(0.1)


def _woken(supervisor: Supervisor, service: Service) -> set[str]:
    """Start a service unless it runs; its name when it did not."""
    if supervisor.states()[service.name].state in ("RUNNING", "STARTING"):
        return set()
    supervisor.start(service.name)
    return {service.name}


def _is_ready(supervisor: Supervisor, service: Service, home: Home) -> bool:
    known = supervisor.states()[service.name]
    if known.state in ("FATAL", "EXITED"):
        raise StackError(f"{service.name} does not start; see {home.logs}/{service.name}.log")
    running = known.state in ("STARTING", "RUNNING")
    return running and what_is_missing(service.name, home, known.since) is None


def _complete(service: Service, home: Home) -> None:
    """What a service must hold before others use it."""
    if service.name == "postgres":
        postgres.create_databases(home)
    if service.name == "s3" and s3_request.request(home, "HEAD", f"/{BUCKET}") != 200:
        for query, body in (("", b""), ("versioning=", VERSIONED)):
            status = s3_request.request(home, "PUT", f"/{BUCKET}", query, body)
            if status != 200:
                raise StackError(f"the bucket {BUCKET} cannot be made: S3 answered {status}")


def _too_late(service: str, home: Home) -> str:
    answer = what_is_missing(service, home, 0.0)
    return (
        f"{service} is not ready after {START_SECONDS} s ({answer}); see {home.logs}/{service}.log"
    )


def _stop_all(home: Home) -> None:
    """The database last, so that none of its clients misses it; then whatever is left."""
    try:
        supervisor = Supervisor(home)
        for names in (("worker", "mlflow", "prefect", "ray", "s3"), ("postgres",)):
            _stop_services(supervisor, names)
        supervisor.shutdown()
    except OSError:
        pass
    _sweep(home)
    remove_socket_folder(home)


def _stop_services(supervisor: Supervisor, names: tuple[str, ...]) -> None:
    running = [n for n in names if supervisor.states()[n].state in ("RUNNING", "STARTING")]
    for name in running:
        supervisor.stop(name)
    while any(supervisor.states()[name].state == "STOPPING" for name in running):
        time.sleep(0.05)


def _sweep(home: Home) -> None:
    """End what an earlier stack left behind, and wait until its ports are free."""
    left = stack_processes(home, home.path / "ray")
    end(left)
    deadline = time.monotonic() + 5
    while left and listening(all_ports(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
