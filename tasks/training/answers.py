"""Logits of many rows, in row order, shared out among the workers."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tasks.packaging.predictor import Encoder
from tasks.training.batches import length_ordered_batches, shard
from tasks.training.course import Setting
from tasks.training.examples import Batch, Examples, make_batch

ANSWER_ROWS = 64
"""Rows that one worker answers at once."""
Kept = Callable[[torch.Tensor, Batch, Encoder], torch.Tensor]
"""What is kept of a batch's logits, [B, ...] to [B, W]: those of all tokens have no room."""


@torch.no_grad()
def logits_of(
    model: nn.Module,
    encoder: Encoder,
    examples: Examples,
    setting: Setting,
    kept: Kept | None = None,
) -> NDArray[np.float32]:
    """Logits [N, C] of every row, or what is `kept` of them, the same on every worker."""
    model.eval()
    group, device = setting.group, setting.device.torch_device
    found: torch.Tensor | None = None
    for row_ids in length_ordered_batches(examples.lengths, ANSWER_ROWS * group.world_size):
        mine = shard(row_ids, group.rank, group.world_size)
        if len(mine) == 0:
            continue
        batch = make_batch(encoder, examples.take(mine), device)
        with setting.device.autocast():
            logits_BC = model(**batch.inputs).float()
        logits_BC = kept(logits_BC, batch, encoder) if kept else logits_BC
        if found is None:
            found = logits_BC.new_zeros(len(examples), logits_BC.shape[1])
        found[torch.from_numpy(mine).to(device)] = logits_BC
    assert found is not None, f"{len(examples)} rows must be one a worker at least"
    # Every row is one worker's and zero on the others: the sum is the whole.
    answers: NDArray[np.float32] = group.total(found).cpu().numpy()
    return answers
