"""Training texts, varied at random: tokens left out, neighbours that change places.

Shapes: B batch, T tokens. What is drawn is drawn on the CPU, so that every device trains alike.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from tasks.training.examples import Batch
from tasks.training.text_architectures import BagAugmentConfig, TextAugmentConfig

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class TextAugment:
    """A batch of texts to one like it; labels stay as they are."""

    config: BagAugmentConfig
    num_outputs: int
    """Labels are not touched, so it is not asked for."""

    def __call__(self, batch: Batch, random: Random) -> Batch:
        """The batch with its texts varied; no row is ever empty."""
        ids_BT, mask_BT = batch.inputs["input_ids"], batch.inputs["attention_mask"]
        free_BT = mask_BT.cpu().numpy() != 0
        if isinstance(self.config, TextAugmentConfig):
            free_BT = within_ends(free_BT)
            if self.config.token_swap:
                ids_BT = swapped(ids_BT, free_BT, self.config.token_swap, random)
        if self.config.token_dropout:
            gone_BT = chosen(free_BT, self.config.token_dropout, random)
            ids_BT, mask_BT = without(ids_BT, mask_BT, gone_BT)
        inputs = batch.inputs | {"input_ids": ids_BT, "attention_mask": mask_BT}
        return replace(batch, inputs=inputs)


def within_ends(real_BT: np.ndarray) -> np.ndarray:
    """The tokens between the first and the last: those are marks of a pretrained encoder."""
    inner_BT = real_BT.copy()
    inner_BT[:, 0] = False
    inner_BT[np.arange(len(real_BT)), real_BT.sum(1) - 1] = False
    return inner_BT


def chosen(free_BT: np.ndarray, share: float, random: Random) -> np.ndarray:
    """Which tokens are left out: about that share of the free ones, never all of a row."""
    hit_BT = free_BT & (random.random(free_BT.shape) < share)
    is_all_B = (hit_BT == free_BT).all(1)
    hit_BT[is_all_B] = False
    return hit_BT


def without(ids_BT: Tensor, mask_BT: Tensor, gone_BT: np.ndarray) -> tuple[Tensor, Tensor]:
    """Ids and mask, closed up where tokens are gone, so that padding stands at the end alone."""
    order_BT = _on(ids_BT, np.argsort(gone_BT, axis=1, kind="stable"))
    gone = _on(ids_BT, gone_BT)
    ids_BT, mask_BT = ids_BT.masked_fill(gone, 0), mask_BT.masked_fill(gone, 0)
    return ids_BT.gather(1, order_BT), mask_BT.gather(1, order_BT)


def swapped(ids_BT: Tensor, free_BT: np.ndarray, share: float, random: Random) -> Tensor:
    """The ids with about that share of the pairs of free neighbours exchanged.

    Pairs begin at the even or at the odd places of a row, so no token moves twice.
    """
    count, length = free_BT.shape
    place_BT = np.broadcast_to(np.arange(length), (count, length)).copy()
    starts_BT = place_BT % 2 == random.integers(2, size=(count, 1))
    hit_BT = starts_BT & free_BT & (random.random((count, length)) < share)
    hit_BT[:, :-1] &= free_BT[:, 1:]
    hit_BT[:, -1] = False
    place_BT += hit_BT
    place_BT[:, 1:] -= hit_BT[:, :-1]
    return ids_BT.gather(1, _on(ids_BT, place_BT))


def _on(like: Tensor, array: np.ndarray) -> Tensor:
    return torch.from_numpy(array).to(like.device)
