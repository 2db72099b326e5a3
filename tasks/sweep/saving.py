"""The checkpoints of a trial that lasts, so that a kill costs it a pass and not all of them.

Of a short one there are none: to write and to read them would cost more than it can lose.
"""

import logging
from dataclasses import dataclass, replace

from tasks.sweep.passes import Deadline
from tasks.training.checkpoint import Checkpoint, CheckpointStore
from tasks.training.keeper import Keeper

log = logging.getLogger(__name__)
WITHIN_A_PASS = 4
"""`Keeper` saves after a pass when so much less is at stake than within one."""


@dataclass(frozen=True, slots=True)
class Saving:
    """Where the trials of a sweep are saved, and from how much work on."""

    store: CheckpointStore
    """Of the whole sweep."""
    seconds: float
    """Work of a trial that is worth saving after a pass."""

    def of(self, number: int) -> CheckpointStore:
        """Of one trial."""
        return replace(self.store, path=f"{self.store.path}/{number}", num_to_keep=1)

    def trial(self, number: int) -> "Saved":
        """One trial, as it was left."""
        return Saved(self.of(number), self.seconds)


class Saved:
    """One trial's part of it."""

    def __init__(self, store: CheckpointStore, seconds: float) -> None:
        self._store = store
        self.newest = self._newest()
        """From which the trial goes on."""
        self._keeper = Keeper(store, lambda *_: None, WITHIN_A_PASS * seconds)
        self.deadline = Deadline(keeper=self._keeper)

    def forget(self) -> None:
        """The trial is over: drop its checkpoints."""
        self._keeper.finish()
        if self._keeper.has_saved or self.newest is not None:
            forget(self._store)

    def _newest(self) -> Checkpoint | None:
        try:
            return self._store.latest()
        except OSError as error:
            log.warning("%s: the trial begins again: %s", self._store.path, error)
            return None


def forget(store: CheckpointStore) -> None:
    """Drop checkpoints; those of a store that does not answer stay there."""
    try:
        store.forget()
    except OSError as error:
        log.warning("%s: not deleted: %s", store.path, error)
