"""Recurrent networks over series: the layers of `recurrent.py` and a pooled linear head.

Shapes: B batch, T steps, K channels, H hidden width (of both directions), C classes.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from models.recurrent import Cell, RecurrentLayers, picked
from models.text_encoder import mean_pool


@dataclass(frozen=True, kw_only=True, slots=True)
class RecurrentSeriesConfig:
    """Shape of the network."""

    num_classes: int
    channels: int
    cell: Cell = "gru"
    layers: int = 1
    width: int = 64
    """Of each direction."""
    bidirectional: bool = True
    pooling: Literal["mean", "last"] = "mean"
    dropout: float = 0.2


class RecurrentSeries(nn.Module):
    """A series to class logits."""

    def __init__(self, config: RecurrentSeriesConfig) -> None:
        super().__init__()
        self.config = config
        self.recurrent = RecurrentLayers(
            config.cell, config.channels, config.width, config.layers, config.bidirectional
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(self.recurrent.output_width, config.num_classes)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Logits [B, C] from values [B, T, K] and a mask [B, T] that is 0 behind the last step."""
        hidden_BTH = self.recurrent(values, mask)
        mean = self.config.pooling == "mean"
        pooled_BH = mean_pool(hidden_BTH, mask) if mean else self._last(hidden_BTH, mask)
        logits_BC: Tensor = self.head(self.dropout(pooled_BH))
        return logits_BC

    def _last(self, hidden_BTH: Tensor, mask_BT: Tensor) -> Tensor:
        """The states that have seen every step: reading backwards, that is the first."""
        last_B1 = mask_BT.sum(1, keepdim=True).long() - 1
        forward_BH = picked(hidden_BTH[:, :, : self.config.width], last_B1)[:, 0]
        return torch.cat([forward_BH, hidden_BTH[:, 0, self.config.width :]], dim=1)
