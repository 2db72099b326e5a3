"""A linear model over statistics of mel-frequency cepstral coefficients (Davis and Mermelstein
1980) and of how they change.

Shapes: B batch, T frames, M bands of pitch, N coefficients, F features, K classes.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

REACH = 2
"""Frames on each side that a change is the slope over (Furui 1986)."""
STATISTICS = 4
"""Numbers of a coefficient: mean and deviation of itself, and of its changes the same."""
LEAST = 1e-12
"""Below a variance, so that its root has a slope everywhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MfccStatisticsConfig:
    """Shape of the model."""

    num_classes: int
    mels: int
    coefficients: int = 20


class MfccStatistics(nn.Module):
    """A sound of any length to class logits."""

    def __init__(self, config: MfccStatisticsConfig) -> None:
        super().__init__()
        self.config = config
        self.head = nn.Linear(STATISTICS * config.coefficients, config.num_classes)

    def forward(self, mels: Tensor, mask: Tensor) -> Tensor:
        """Logits [B, K] from `mels` [B, T, M] and a mask [B, T] that is 0 behind the last frame."""
        logits_BK: Tensor = self.head(mfcc_statistics(mels, mask, self.config.coefficients))
        return logits_BK


def mfcc_statistics(mels_BTM: Tensor, mask_BT: Tensor, coefficients: int) -> Tensor:
    """Mean and deviation of each coefficient, then of its changes, [B, F]."""
    cosines_MN = dct(mels_BTM.shape[2], coefficients).to(mels_BTM)
    mfcc_BTN = mels_BTM @ cosines_MN
    change_BTN = deltas(mfcc_BTN, mask_BT)
    moments = [*_moments(mfcc_BTN, mask_BT), *_moments(change_BTN, mask_BT)]
    return torch.cat(moments, dim=1)


def dct(bands: int, coefficients: int) -> Tensor:
    """[M, N]: the first columns of the orthonormal cosine transform (type II)."""
    place_M1 = torch.arange(bands, dtype=torch.float64).unsqueeze(1) + 0.5
    order_N = torch.arange(coefficients, dtype=torch.float64)
    cosines_MN = torch.cos(math.pi / bands * place_M1 * order_N) * math.sqrt(2 / bands)
    cosines_MN[:, 0] *= math.sqrt(0.5)
    return cosines_MN.float()


def deltas(values_BTN: Tensor, mask_BT: Tensor) -> Tensor:
    """The slope at each frame by least squares; the first and the last frame go on beyond it."""
    last_B1 = mask_BT.sum(1, keepdim=True).long() - 1
    here_BT = torch.ones_like(mask_BT, dtype=torch.long).cumsum(1) - 1
    rise_BTN = torch.zeros_like(values_BTN)
    for step in range(1, REACH + 1):
        later_BTN = _picked(values_BTN, torch.minimum(here_BT + step, last_B1))
        sooner_BTN = _picked(values_BTN, (torch.minimum(here_BT, last_B1) - step).clamp(min=0))
        rise_BTN = rise_BTN + step * (later_BTN - sooner_BTN)
    return rise_BTN / (2 * sum(step * step for step in range(1, REACH + 1)))


def _picked(values_BTN: Tensor, frame_BT: Tensor) -> Tensor:
    return values_BTN.gather(1, frame_BT.unsqueeze(-1).expand(-1, -1, values_BTN.shape[2]))


def _moments(values_BTN: Tensor, mask_BT: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation over the frames that are no padding, [B, N] each."""
    mask_BT1 = mask_BT.unsqueeze(-1)
    count_B1 = mask_BT1.sum(1)
    mean_BN = (values_BTN * mask_BT1).sum(1) / count_B1
    off_BTN = (values_BTN - mean_BN.unsqueeze(1)) * mask_BT1
    return mean_BN, (off_BTN.square().sum(1) / count_B1 + LEAST).sqrt()
