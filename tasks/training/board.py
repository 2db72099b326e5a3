"""What first workers last said. A module of its own: the actor's process need not load torch."""

Notice = tuple[float, float, str]
"""Done, of how much, and a sentence."""


class Board:
    """One notice a training, replaced by the next; lives in a Ray actor that all of them share."""

    def __init__(self) -> None:
        self._last: dict[str, Notice] = {}

    def post(self, training: str, done: float, total: float, message: str) -> None:
        """Replace what stands there."""
        self._last[training] = (done, total, message)

    def read(self, training: str) -> Notice | None:
        """What stands there."""
        return self._last.get(training)
