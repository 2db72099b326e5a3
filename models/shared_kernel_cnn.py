"""A convolutional network whose layers share their kernels (Eigen et al. 2013, arXiv:1312.1847,
figure 1): one 3 x 3 convolution, applied again and again. What each layer has of its own is the
scale and shift of its normalisation.

Shapes: B batch, C channels, H and W pixels, D width, K classes.
"""

from dataclasses import dataclass

from torch import Tensor, nn

GROUPS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedKernelCnnConfig:
    """Shape of the network."""

    num_classes: int
    channels: int = 1
    width: int = 16
    layers: int = 4
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.width % GROUPS:
            raise ValueError(f"width {self.width} must be a multiple of {GROUPS}")


class SharedKernelCnn(nn.Module):
    """A first convolution to the width, one that all layers share, and the mean over the pixels."""

    def __init__(self, config: SharedKernelCnnConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Conv2d(config.channels, config.width, 3, padding=1)
        self.shared = nn.Conv2d(config.width, config.width, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, config.width) for _ in range(config.layers))
        self.halve = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.width, config.num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [B, K] from pixels [B, C, H, W]."""
        maps_BDHW = self.first(pixels).relu()
        for layer, norm in enumerate(self.norms):
            maps_BDHW = maps_BDHW + norm(self.shared(maps_BDHW)).relu()
            if layer == (len(self.norms) - 1) // 2:
                maps_BDHW = self.halve(maps_BDHW)
        logits_BK: Tensor = self.head(self.dropout(maps_BDHW.mean((2, 3))))
        return logits_BK
