"""The process manager: supervisord, its configuration and its socket."""

import http.client
import json
import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from infra.home import USER, Home, write_private
from infra.stack.errors import StackError
from infra.stack.processes import MARK
from infra.stack.services import ROOT, SERVICES, Service, command_of, environment_of
from infra.stack.sockets import make_socket_folder, socket_folder

LOG_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What the process manager knows of one service."""

    name: str
    state: str
    pid: int | None
    since: float


class Supervisor:
    """The process manager of one home; each method raises OSError when it is not there."""

    def __init__(self, home: Home) -> None:
        socket = f"unix://{socket_folder(home)}/supervisor.sock"
        transport = SupervisorTransport(USER, home.secret("supervisor"), socket)
        # The address is a formality: the transport goes to the socket.
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        self._calls: Any = proxy.supervisor

    def states(self) -> dict[str, ProcessState]:
        """State of each service by its name."""
        answers = cast(list[dict[str, Any]], self._call("getAllProcessInfo"))
        return {
            each["name"]: ProcessState(
                each["name"], each["statename"], each["pid"] or None, float(each["start"])
            )
            for each in answers
        }

    def start(self, service: str) -> None:
        """Begin to start a service."""
        self._call("startProcess", service, False)

    def stop(self, service: str) -> None:
        """Begin to stop a service."""
        self._call("stopProcess", service, False)

    def shutdown(self) -> None:
        """End the process manager with all that it still runs."""
        self._call("shutdown")

    def pid(self) -> int:
        """Process id of the process manager."""
        return int(self._call("getPID"))

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self._calls, method)(*arguments)
        except (xmlrpc.client.ProtocolError, http.client.HTTPException) as error:
            raise ConnectionError(f"the process manager answered {error}") from error


def is_there(home: Home) -> bool:
    """Whether the process manager of this home answers."""
    try:
        Supervisor(home).pid()
    except OSError:
        return False
    return True


def start_supervisor(home: Home) -> Supervisor:
    """Start the process manager, which starts nothing by itself yet."""
    make_socket_folder(home)
    write_private(home.run / "services.json", _services(home))
    write_private(home.run / "supervisord.conf", _configuration(home))
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", "run/supervisord.conf"]
    # A session of its own: Ctrl-C and the end of the terminal pass it by.
    done = subprocess.run(  # noqa: S603
        command,
        cwd=home.path,
        env={**_environment(), MARK: str(home.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise StackError(f"the process manager does not start: {said[-1]}")
    return _wait_for(home)


def _wait_for(home: Home) -> Supervisor:
    deadline = time.monotonic() + 10
    while not is_there(home):
        if time.monotonic() > deadline:
            raise StackError(
                f"the process manager does not answer; see {home.logs}/supervisord.log"
            )
        time.sleep(0.05)
    return Supervisor(home)


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}


def _services(home: Home) -> str:
    services = {
        service.name: {
            "command": command_of(service.name, home),
            "environment": environment_of(service.name, home),
            "folder": str(_folder(home, service.name)),
        }
        for service in SERVICES
    }
    return json.dumps(services, indent=1)


def _folder(home: Home, service: str) -> Path:
    folder = home.path / service
    if service != "postgres":
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder
    return Path("/")


def _configuration(home: Home) -> str:
    sockets = socket_folder(home)
    head = f"""[unix_http_server]
file={sockets}/supervisor.sock
chmod=0600
username={USER}
password={home.secret("supervisor")}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
logfile=%(ENV_{MARK})s/logs/supervisord.log
logfile_maxbytes=1000000
logfile_backups=1
loglevel=info
pidfile={sockets}/supervisord.pid
umask=077
"""
    return head + "".join(_program(service) for service in SERVICES)


def _program(service: Service) -> str:
    name = service.name
    launcher = shlex.join((sys.executable, str(Path(__file__).with_name("launch.py")), name))
    return f"""
[program:{name}]
command={launcher.replace("%", "%%")}
autostart=false
autorestart=true
startsecs=1
startretries=5
stopsignal={service.stop_signal}
stopwaitsecs={service.stop_seconds}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile=%(ENV_{MARK})s/logs/{name}.log
stdout_logfile_maxbytes={LOG_BYTES}
stdout_logfile_backups=2
"""
