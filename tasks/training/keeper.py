"""Saves and reports while a training runs, out of its way."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from tasks.training.checkpoint import CheckpointStore
from tasks.training.course import TrainState
from tasks.training.resume import checkpoint_of

log = logging.getLogger(__name__)

POST_SECONDS = 0.5

Post = Callable[[float, float, str], None]
"""Takes (steps done, steps in all, message); must not wait."""


class Keeper:
    """Observer of the loop. Only the first worker's is active: all hold the same weights."""

    def __init__(
        self,
        store: CheckpointStore,
        post: Post,
        save_seconds: float,
        is_active: bool = True,
    ) -> None:
        self._store, self._post, self._is_active = store, post, is_active
        self._save_seconds = save_seconds
        self._saved_at = self._posted_at = time.monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._saving: Future[None] | None = None

    def on_step(self, state: TrainState, total_steps: int) -> None:
        """Report, and save when it is time."""
        if not self._is_active:
            return
        now = time.monotonic()
        if now - self._posted_at >= POST_SECONDS:
            self._posted_at = now
            self._post(state.step, total_steps, _message(state))
        if now - self._saved_at >= self._save_seconds and state.step < total_steps:
            self._save(state)

    def on_epoch(self, state: TrainState, total_steps: int) -> None:
        """Report, and save unless the final checkpoint follows at once."""
        if not self._is_active:
            return
        self._post(state.step, total_steps, _message(state))
        if state.step < total_steps and time.monotonic() - self._saved_at >= self._save_seconds / 4:
            self._save(state)

    @property
    def has_saved(self) -> bool:
        """Whether there is a checkpoint of its, or soon will be."""
        return self._saving is not None

    def finish(self) -> None:
        """Wait for the save that is under way."""
        self._thread.shutdown(wait=True)

    def _save(self, state: TrainState) -> None:
        if self._saving is not None and not self._saving.done():
            return  # the store is slow; the next time will do
        self._saved_at = time.monotonic()
        checkpoint = checkpoint_of(state)
        self._saving = self._thread.submit(self._store.save, checkpoint)
        self._saving.add_done_callback(_warn_when_failed)


def _warn_when_failed(saving: Future[None]) -> None:
    # A checkpoint that failed costs time after a kill; it must not cost the training.
    if error := saving.exception():
        log.warning("a checkpoint could not be saved, training goes on: %s", error)


def _message(state: TrainState) -> str:
    if not state.history:
        return f"step {state.step}"
    point = state.history[-1]
    text = f"step {state.step}, epoch {point['epoch']:.1f}, loss {point['train/loss']:.3f}"
    return f"{text}, best valid score {state.best_score:.3f}" if state.best_step > 0 else text
