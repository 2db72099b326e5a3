"""The door to Ray: one connection a process."""

import importlib
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import ray

from infra.settings import load_settings

_CONNECTING = Lock()


def connect(log_to_driver: bool = False) -> None:
    """Join the Ray cluster that the settings name; a second call changes nothing."""
    with _CONNECTING:  # two steps side by side may both be the first to need it
        if not ray.is_initialized():
            _join(log_to_driver)


def start_workers(count: int, module: str) -> None:
    """Let so many workers start and import `module` while the caller does something else.

    A worker of Ray serves one process's tasks one after the other: what it has imported for the
    first, the others need not wait for.
    """
    connect()
    task = ray.remote(num_cpus=1)(_import)
    for _ in range(count):
        task.remote(module)


def _import(module: str) -> None:
    importlib.import_module(module)


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
