"""The checkpoints of a trial that lasts, so that a kill costs it a pass and not all of them.

Of a short one there are none: to write and to read them would cost more than it can lose.
"""

import logging
from dataclasses import dataclass, replace

from tasks.sweep.passes import Deadline
from tasks.sweep.population import Leg
from tasks.training.checkpoint import Checkpoint, CheckpointStore
from tasks.training.course import TrainState
from tasks.training.keeper import Keeper
from tasks.training.resume import checkpoint_of

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

    def trial(self, number: int, leg: Leg | None = None) -> "Saved":
        """One trial, as it was left; of a population, or as the one before left it."""
        if leg is None:
            return Saved(self.of(number), Keeper(self.of(number), nobody, self.within_a_pass))
        keeper = LegKeeper(self.of(number), leg.end, self.within_a_pass)
        before = None if leg.after is None else self.of(leg.after)
        return Saved(self.of(number), keeper, before)

    @property
    def within_a_pass(self) -> float:
        """Work that is worth saving in the middle of a pass."""
        return WITHIN_A_PASS * self.seconds


def nobody(*_: object) -> None:
    """Nobody is told how far a trial is."""


class LegKeeper(Keeper):
    """Saves the end of a leg before anybody hears of it: another trial goes on from there."""

    def __init__(self, store: CheckpointStore, end: int, save_seconds: float) -> None:
        super().__init__(store, nobody, save_seconds)
        self._leg_store, self._end = store, end

    def on_epoch(self, state: TrainState, total_steps: int) -> None:
        """Wait for it after the leg's last pass."""
        if state.epochs_done < self._end:
            return super().on_epoch(state, total_steps)
        self.finish()
        return self._leg_store.save(checkpoint_of(state))


class Saved:
    """One trial's part of it."""

    def __init__(
        self, store: CheckpointStore, keeper: Keeper, before: CheckpointStore | None = None
    ) -> None:
        """`before` is the trial that it goes on from, which must have been saved."""
        self._store, self._keeper = store, keeper
        self.newest = self._newest()
        """From which the trial goes on."""
        if before is not None and self.newest is None:
            self.newest = before.latest()
            if self.newest is None:
                raise ValueError(f"{before.path}: there is no checkpoint to go on from")
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
