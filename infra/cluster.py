"""The door to Ray: one connection a process."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import ray

from infra.imports import import_whole
from infra.settings import load_settings

_CONNECTING = Lock()
LOOK_SECONDS, REFUSALS = 2.0, 3
"""How often the head is looked for, and how often in a row it is away before it is gone."""


def connect(log_to_driver: bool = False) -> None:
    """Join the Ray cluster that the settings name; a second call changes nothing.

    From then on this process ends with the cluster's head, see `watch_head`.
    """
    with _CONNECTING:  # two steps side by side may both be the first to need it
        if not ray.is_initialized():
            _join(log_to_driver)


def start_workers(count: int, module: str) -> None:
    """Let so many workers start and import `module` while the caller does something else.

    A worker of Ray serves one process's tasks one after the other: what it has imported for the
    first, the others need not wait for.
    """
    connect()
    task = ray.remote(num_cpus=1)(import_whole)
    for _ in range(count):
        task.remote(module)


def _join(log_to_driver: bool) -> None:
    settings = load_settings()
    try:
        with _own_sigterm():
            ray.init(
                address=settings.ray_address,
                namespace="modelworks",
                log_to_driver=log_to_driver,
                logging_level=logging.WARNING,
            )
    except (ConnectionError, TimeoutError) as error:
        message = f"Ray does not answer at {settings.ray_address}; `modelworks doctor` says why"
        raise ConnectionError(message) from error
    address = ray.get_runtime_context().gcs_address
    threading.Thread(target=watch_head, args=(address,), name="ray-head", daemon=True).start()


def watch_head(address: str) -> None:
    """End this process in one sentence when the head is gone of the cluster that it has joined.

    Calls to such a cluster do not return; a minute later Ray ends the process, with a line about
    parts of its own. A network that is slow is for Ray to judge.
    """
    host, _, port = address.rpartition(":")
    refusals = 0
    while refusals < REFUSALS:
        time.sleep(LOOK_SECONDS)
        if not ray.is_initialized() or ray.get_runtime_context().gcs_address != address:
            return  # it has left
        refusals = refusals + 1 if _refuses(host, int(port)) else 0
    sys.stderr.write(
        f"error: Ray's head at {address} is gone; `modelworks doctor` says why, the same command "
        "goes on from here\n"
    )
    sys.stderr.flush()
    os._exit(1)


def _refuses(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=LOOK_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep this process's answer to SIGTERM, which Ray replaces by an abort or an exit.

    `modelworks stop` sends it, and what it stops must close its runs and say how to go on.
    """
    os.environ["RAY_DISABLE_FAILURE_SIGNAL_HANDLER"] = "1"
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit as sent:  # what Ray made of a SIGTERM just now
        raise KeyboardInterrupt from sent
    finally:
        signal.signal(signal.SIGTERM, before)
