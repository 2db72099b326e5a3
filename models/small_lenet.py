"""LeNet made simple: 3 x 3 kernels (Simonyan and Zisserman 2014, arXiv:1409.1556) and one full
layer, for at most half of its multiply-adds.

Shapes: B batch, C channels, H and W pixels, K classes.
"""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, slots=True)
class SmallLenetConfig:
    """Shape of the network."""

    num_classes: int
    size: int
    """Pixels of a side."""
    channels: int = 1
    filters: tuple[int, int] = (24, 48)
    hidden: int = 64
    dropout: float = 0.0


class SmallLenet(nn.Module):
    """Convolve, halve, convolve, halve, and one full layer before the answer."""

    def __init__(self, config: SmallLenetConfig) -> None:
        super().__init__()
        self.config = config
        narrow, wide = config.filters
        self.first = nn.Conv2d(config.channels, narrow, 3, padding=1)
        self.second = nn.Conv2d(narrow, wide, 3, padding=1)
        self.halve = nn.MaxPool2d(2)
        self.full = nn.Linear(wide * (config.size // 4) ** 2, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, config.num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [B, K] from pixels [B, C, H, W]."""
        maps_BCHW = self.halve(self.first(pixels).relu())
        maps_BCHW = self.halve(self.second(maps_BCHW).relu())
        hidden_BD = self.full(maps_BCHW.flatten(1)).relu()
        logits_BK: Tensor = self.head(self.dropout(hidden_BD))
        return logits_BK
