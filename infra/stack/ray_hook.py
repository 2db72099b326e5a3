"""What `ray start` has no option for; Ray calls it by the variable `RAY_START_HOOK`."""

from typing import Any


def adapt(params: Any, head: bool) -> None:
    """Leave out Ray's client server."""
    assert head
    # One Python process (90 MB) and one more port, for a protocol that nobody here speaks.
    params.ray_client_server_port = None
