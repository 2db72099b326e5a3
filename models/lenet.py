"""LeNet-style network for small pictures (LeCun et al. 1998, "Gradient-based learning applied to
document recognition", figure 2), with ReLU and maxima where the paper has sigmoids and means.

Shapes: B batch, C channels, H and W pixels, D width, K classes.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, slots=True)
class LenetConfig:
    """Shape of the network."""

    num_classes: int
    size: int
    """Pixels of a side."""
    channels: int = 1
    filters: tuple[int, int] = (32, 64)
    kernel: int = 5
    hidden: tuple[int, ...] = (120, 84)
    dropout: float = 0.0


class Lenet(nn.Module):
    """Convolve, halve, convolve, halve, and two full layers before the answer."""

    def __init__(self, config: LenetConfig) -> None:
        super().__init__()
        self.config = config
        self.first, self.second = (
            nn.Conv2d(narrow, wide, config.kernel, padding="same")
            for narrow, wide in pairwise((config.channels, *config.filters))
        )
        self.halve = nn.MaxPool2d(2)
        widths = (config.filters[-1] * (config.size // 4) ** 2, *config.hidden)
        self.full = nn.Sequential(
            *(
                nn.Sequential(nn.Linear(wide, narrow), nn.ReLU(), nn.Dropout(config.dropout))
                for wide, narrow in pairwise(widths)
            )
        )
        self.head = nn.Linear(widths[-1], config.num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [B, K] from pixels [B, C, H, W]."""
        maps_BCHW = self.halve(self.first(pixels).relu())
        maps_BCHW = self.halve(self.second(maps_BCHW).relu())
        logits_BK: Tensor = self.head(self.full(maps_BCHW.flatten(1)))
        return logits_BK
