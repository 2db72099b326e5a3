"""A home's block of ports: chosen free once, checked at every start."""

import hashlib
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

from infra.home import BLOCK_SIZE, FIRST_RAY_WORKER, SERVICE_PORTS, Home
from infra.stack.errors import StackError

# Below 32768, where Linux starts to give ports to outgoing connections.
FIRST, LAST = 20000, 32600
NUM_BLOCKS = (LAST - FIRST) // BLOCK_SIZE


def free_block(home: Path) -> int:
    """First port of a block that nothing listens in. Raises StackError when there is none."""
    # Homes that are down hold no port: starting from a digest keeps them apart all the same.
    start = int.from_bytes(hashlib.sha256(str(home).encode()).digest()[:4], "big")
    for step in range(NUM_BLOCKS):
        first = FIRST + (start + step) % NUM_BLOCKS * BLOCK_SIZE
        if all(_is_free(port) for port in range(first, first + BLOCK_SIZE)):
            return first
    raise StackError(f"no block of {BLOCK_SIZE} free ports between {FIRST} and {LAST}")


def check_ports(home: Home) -> None:
    """Raise StackError, naming the holder, when a port of a service is taken."""
    for name in SERVICE_PORTS:
        if not _is_free(home.port(name)):
            raise StackError(
                f"port {home.port(name)} ({name}) is held by {holder(home.port(name))}; "
                "stop it, or take other ports with `modelworks up --new-ports`"
            )


def listening(ports: Iterable[int]) -> list[int]:
    """Those ports that something holds on this host."""
    return [port for port in ports if not _is_free(port)]


def all_ports(home: Home) -> list[int]:
    """Ports of every service and every Ray worker of this home."""
    services = [home.port(name) for name in SERVICE_PORTS]
    assert max(services) < home.first_port + FIRST_RAY_WORKER
    return [*services, *home.ray_worker_ports]


def holder(port: int) -> str:
    """Name and pid of the process that listens on a port, as far as we may know."""
    for process in psutil.process_iter(["name"]):
        try:
            connections = process.net_connections("tcp")
        except psutil.Error:
            continue
        if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections):
            return f"{process.info['name']} (pid {process.pid})"
    return "a process of another user"


def _is_free(port: int) -> bool:
    # Both addresses: some services listen on all interfaces, which a bind to loopback overlooks.
    return all(_can_bind(address, port) for address in ("127.0.0.1", "0.0.0.0"))  # noqa: S104


def _can_bind(address: str, port: int) -> bool:
    with socket.socket() as probe:
        # As the services do: a connection of the last stack in TIME_WAIT is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
