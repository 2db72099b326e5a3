"""A linear model over plain statistics of each channel and of its changes from step to step.

Shapes: B batch, T steps, K channels, F features, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

FAR = 1e9
"""Stands for padding where the smallest or largest value is looked for."""
STATISTICS = 8
"""Numbers that `statistics_of` draws from a channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesStatisticsConfig:
    """Shape of the model."""

    num_classes: int
    channels: int


class SeriesStatistics(nn.Module):
    """A series to class logits."""

    def __init__(self, config: SeriesStatisticsConfig) -> None:
        super().__init__()
        self.config = config
        self.head = nn.Linear(STATISTICS * config.channels, config.num_classes)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Logits [B, C] from values [B, T, K] and a mask [B, T] that is 0 behind the last step."""
        logits_BC: Tensor = self.head(statistics_of(values, mask))
        return logits_BC


def statistics_of(values_BTK: Tensor, mask_BT: Tensor) -> Tensor:
    """Mean, deviation, least, most, first and last of each channel; of its changes, mean size and
    deviation. [B, F]."""
    mask_BT1 = mask_BT.unsqueeze(-1)
    before_BTK = torch.cat([values_BTK[:, :1], values_BTK[:, :-1]], dim=1)
    change_BTK = (values_BTK - before_BTK) * mask_BT1
    last_B1K = (mask_BT.sum(1).long() - 1)[:, None, None].expand(-1, 1, values_BTK.shape[2])
    padding_BT1 = (1 - mask_BT1) * FAR
    mean_BK, deviation_BK = _moments(values_BTK, mask_BT1)
    return torch.cat(
        [
            *(mean_BK, deviation_BK),
            *((values_BTK + padding_BT1).amin(1), (values_BTK - padding_BT1).amax(1)),
            *(values_BTK[:, 0], values_BTK.gather(1, last_B1K).squeeze(1)),
            *(_moments(change_BTK.abs(), mask_BT1)[0], _moments(change_BTK, mask_BT1)[1]),
        ],
        dim=1,
    )


def _moments(values_BTK: Tensor, mask_BT1: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation over the steps that are no padding, [B, K] each."""
    count_B1 = mask_BT1.sum(1)
    mean_BK = (values_BTK * mask_BT1).sum(1) / count_B1
    off_BTK = (values_BTK - mean_BK.unsqueeze(1)) * mask_BT1
    return mean_BK, (off_BTK.square().sum(1) / count_B1).sqrt()
