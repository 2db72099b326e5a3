"""Memory that runs out during a step: the batch is computed in more parts, with the same result."""

import gc
import logging

import torch

from tasks.training.course import TrainState

log = logging.getLogger(__name__)

CPU_WORDS = "DefaultCPUAllocator: "
"""Of the plain RuntimeError that torch's allocator of main memory raises."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the process under its limit, had no more memory to give."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and CPU_WORDS in str(error)


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
