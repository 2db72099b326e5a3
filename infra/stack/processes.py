"""The processes of a stack: found by a mark in their environment, measured, ended."""

import ipaddress
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.home import Home

MARK = "MODELWORKS_STACK"


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that one of our processes listens on."""

    address: str
    port: int
    pid: int
    process: str

    @property
    def is_loopback(self) -> bool:
        """Whether only this host can reach it."""
        address = ipaddress.ip_address(self.address)
        # A listener for both families shows 127.0.0.1 as ::ffff:127.0.0.1.
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def stack_processes(home: Home, ray_folder: Path) -> list[psutil.Process]:
    """Every process of this home's stack, whoever its parent is now."""
    marked = [p for p in psutil.process_iter(["name"]) if _belongs(p, home, ray_folder)]
    return with_children(marked)


def with_children(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """The processes and all that descends from them, each once."""
    found = {}
    for process in processes:
        found[process.pid] = process
        try:
            found |= {child.pid: child for child in process.children(recursive=True)}
        except psutil.Error:
            continue
    return list(found.values())


def end(processes: list[psutil.Process], patience_seconds: float = 3.0) -> None:
    """End processes: asked first, then made to."""
    _signal(processes, "terminate")
    _, alive = psutil.wait_procs(processes, timeout=patience_seconds)
    _signal(alive, "kill")
    psutil.wait_procs(alive, timeout=5)


def proportional_bytes(processes: Iterable[psutil.Process]) -> int:
    """Memory of processes, shared pages divided among those who share them."""
    return sum(_process_bytes(process) for process in processes)


def listeners(processes: Iterable[psutil.Process]) -> list[Listener]:
    """Ports that these processes listen on."""
    found = set()
    for process in processes:
        try:
            connections = process.net_connections("tcp")
            name = process.name()
        except psutil.Error:
            continue
        for each in connections:
            if each.status == psutil.CONN_LISTEN:
                found.add(Listener(each.laddr.ip, each.laddr.port, process.pid, name))
    return sorted(found, key=lambda listener: listener.port)


def _belongs(process: psutil.Process, home: Home, ray_folder: Path) -> bool:
    try:
        if process.environ().get(MARK) == str(home.path):
            return True
        # Ray's workers overwrite their environment with their title; their logs give them away.
        return process.name().startswith("ray::") and any(
            Path(file.path).is_relative_to(ray_folder) for file in process.open_files()
        )
    except (psutil.Error, OSError):
        return False


def _signal(processes: Iterable[psutil.Process], action: str) -> None:
    for process in processes:
        try:
            getattr(process, action)()
        except psutil.Error:
            continue


def _process_bytes(process: psutil.Process) -> int:
    try:
        if sys.platform.startswith("linux"):
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        return int(process.memory_info().rss)
    except (psutil.Error, OSError, StopIteration):
        return 0
