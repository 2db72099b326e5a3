"""Memory that runs out during a step: the batch is computed in more parts, with the same result.

Many workers exchange their gradients in the middle of the way back, where none can stop without the
others. So each gathers its own while a batch is larger than any before, all agree whether it fitted
everywhere, and the exchange comes behind it. What fitted without the optimizer's moments, before an
epoch's end or before a restart, is no promise.
"""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tasks.training.course import TrainState
from tasks.training.group import Group

log = logging.getLogger(__name__)

CPU_WORDS = "DefaultCPUAllocator: "
"""Of the plain RuntimeError that torch's allocator of main memory raises."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the process under its limit, had no more memory to give."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and CPU_WORDS in str(error)


@contextmanager
def gathered_apart(state: TrainState, size: int) -> Iterator[None]:
    """While a batch of this size is learned from: its gradients are exchanged behind it, unless one
    as large has fitted."""
    if size <= state.fitted_size:
        yield
        return
    exchanging, state.replica = state.replica, state.model
    try:
        yield
    finally:
        state.replica = exchanging
    if state.step:  # the first step has no moments and averages yet
        state.fitted_size = size


def has_fitted(
    state: TrainState, group: Group, trouble: Exception | None, rows: int, parts: int
) -> bool:
    """Whether no worker ran out of memory (`trouble`), whose gradients are then exchanged.

    Else all of them take smaller parts from now on; raises where one has a row in each already.
    """
    num_lacking, num_stuck = group.count(trouble is not None, bool(trouble) and parts >= rows)
    if num_stuck:
        raise trouble or MemoryError("another worker has no memory for a single row")
    if num_lacking:
        split_further(state, rows, parts)
        return False
    group.average(w.grad for w in state.parameters() if w.grad is not None)
    return True


def split_further(state: TrainState, rows: int, parts: int) -> None:
    """Let batches be computed in twice as many parts from now on; said once in the log.

    What the failed step had gathered of its gradient is dropped.
    """
    state.parts *= 2
    state.optimizer.zero_grad(set_to_none=True)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    log.warning(
        "step %d: out of memory with %d rows at once; batches are computed in %d parts from now on",
        state.step, -(-rows // parts), 2 * parts,
    )  # fmt: skip
