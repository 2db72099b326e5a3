"""The door to Ray: one connection a process."""

import logging
from threading import Lock

import ray

from infra.settings import load_settings

_CONNECTING = Lock()


def connect(log_to_driver: bool = False) -> None:
    """Join the Ray cluster that the settings name; a second call changes nothing."""
    with _CONNECTING:  # two steps side by side may both be the first to need it
        if not ray.is_initialized():
            _join(log_to_driver)


def _join(log_to_driver: bool) -> None:
    settings = load_settings()
    try:
        ray.init(
            address=settings.ray_address,
            namespace="modelworks",
            log_to_driver=log_to_driver,
            logging_level=logging.WARNING,
        )
    except (ConnectionError, TimeoutError) as error:
        message = f"Ray does not answer at {settings.ray_address}; `modelworks doctor` says why"
        raise ConnectionError(message) from error
