"""Convolutions over time, of several lengths side by side (InceptionTime, arXiv:1909.04939).

Shapes: B batch, T steps, K channels, D width, C classes. Layer normalisation over the channels of a
step stands where the paper has batch normalisation: padding would count among a batch's statistics.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

KERNELS = (3, 5, 9)
"""Steps that each of the parallel convolutions sees; the paper's 10, 20, 40 are for series of
hundreds of steps, and its blocks see as far one after the other."""
FAR = 1e9
"""Stands for padding where the largest value is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesCnnConfig:
    """Shape of the network."""

    num_classes: int
    channels: int
    blocks: int = 2
    width: int = 64
    dropout: float = 0.2
    inner: int | None = None
    """Channels of each convolution, where some were removed; None: half of the width."""


class SeriesCnn(nn.Module):
    """A series to class logits."""

    def __init__(self, config: SeriesCnnConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(config.channels, config.width)
        self.blocks = nn.ModuleList(InceptionBlock(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * config.width, config.num_classes)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Logits [B, C] from values [B, T, K] and a mask [B, T] that is 0 behind the last step."""
        mask_BT1 = mask.unsqueeze(-1)
        hidden_BTD = self.first(values)
        for block in self.blocks:
            hidden_BTD = block(hidden_BTD, mask_BT1)
        hidden_BTD = functional.relu(self.norm(hidden_BTD))
        mean_BD = (hidden_BTD * mask_BT1).sum(1) / mask_BT1.sum(1)
        most_BD = (hidden_BTD - (1 - mask_BT1) * FAR).amax(1)
        logits_BC: Tensor = self.head(self.dropout(torch.cat([mean_BD, most_BD], dim=1)))
        return logits_BC


class InceptionBlock(nn.Module):
    """Normalise, convolve over several lengths, add."""

    def __init__(self, config: SeriesCnnConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        inner = config.inner or config.width // 2
        self.convolutions = nn.ModuleList(
            nn.Conv1d(config.width, inner, kernel, padding=kernel // 2) for kernel in KERNELS
        )
        self.dropout = nn.Dropout(config.dropout)
        self.contract = nn.Linear(len(KERNELS) * inner, config.width)

    def forward(self, hidden_BTD: Tensor, mask_BT1: Tensor) -> Tensor:
        """A vector for each step, [B, T, D]."""
        seen_BDT = (functional.relu(self.norm(hidden_BTD)) * mask_BT1).transpose(1, 2)
        found = [convolve(seen_BDT) for convolve in self.convolutions]
        wide_BTD = functional.relu(torch.cat(found, dim=1).transpose(1, 2))
        output_BTD: Tensor = hidden_BTD + self.contract(self.dropout(wide_BTD))
        return output_BTD
