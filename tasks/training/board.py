"""What the first worker last said. A module of its own: the actor's process need not load torch."""


class Board:
    """One notice, replaced by the next; lives in a Ray actor."""

    def __init__(self) -> None:
        self._last: tuple[float, float, str] | None = None

    def post(self, done: float, total: float, message: str) -> None:
        """Replace what stands there."""
        self._last = (done, total, message)

    def read(self) -> tuple[float, float, str] | None:
        """What stands there."""
        return self._last
