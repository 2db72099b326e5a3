"""Convolutions over a picture of sound: loudness by moment and pitch (as the CNNs of PANNs, Kong et
al. 2020, arXiv:1912.10211, section III, with strides in the place of their means).

Shapes: B batch, T frames, M bands of pitch, C channels, K classes.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioCnnConfig:
    """Shape of the network."""

    num_classes: int
    mels: int
    widths: tuple[int, ...] = (16, 32, 64, 128)
    """Channels of each block; each halves frames and bands."""
    dropout: float = 0.2


class AudioCnn(nn.Module):
    """A sound of any length to class logits."""

    def __init__(self, config: AudioCnnConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(Block(*pair) for pair in pairwise((1, *config.widths)))
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * config.widths[-1], config.num_classes)

    def forward(self, mels: Tensor, mask: Tensor) -> Tensor:
        """Logits [B, K] from `mels` [B, T, M] and a mask [B, T] that is 0 behind the last frame."""
        mask_B1T1 = mask[:, None, :, None]
        maps_BCTM = mels.unsqueeze(1) * mask_B1T1
        for block in self.blocks:
            maps_BCTM, mask_B1T1 = block(maps_BCTM, mask_B1T1)
        pooled_BC = pooled(maps_BCTM.mean(3), mask_B1T1[..., 0])
        logits_BK: Tensor = self.head(self.dropout(pooled_BC))
        return logits_BK


class Block(nn.Module):
    """One convolution, normalised, that halves frames and bands."""

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(narrow, wide, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(wide)

    def forward(self, maps_BCTM: Tensor, mask_B1T1: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of half as many frames, and their mask.

        Silence is put back behind the last frame, so that padding is what any border is: zeros.
        """
        mask_B1T1 = mask_B1T1[:, :, ::2]
        return self.norm(self.conv(maps_BCTM)).relu() * mask_B1T1, mask_B1T1


def pooled(maps_BCT: Tensor, mask_B1T: Tensor) -> Tensor:
    """[B, 2C]: mean and maximum over the frames of maps that are nowhere below 0."""
    mean_BC = maps_BCT.sum(2) / mask_B1T.sum(2)
    return torch.cat([mean_BC, maps_BCT.amax(2)], dim=1)
