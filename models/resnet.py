"""ResNet for small pictures (He et al. 2015, arXiv:1512.03385, section 4.2 and figure 2).

Group normalisation (arXiv:1803.08494) stands where the paper has batch normalisation: a row's
answer never depends on its neighbours, and workers and resumed runs have no statistics to agree on.
Shapes: B batch, C channels, H and W pixels, D width, K classes.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

GROUPS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class ResnetConfig:
    """Shape of the network; the defaults are the paper's ResNet-8."""

    num_classes: int
    channels: int = 1
    widths: tuple[int, ...] = (16, 32, 64)
    """Of each stage; all but the first begin by halving the sides."""
    blocks: int = 1
    """In each stage."""
    inner: tuple[int, ...] = ()
    """Channels between the two convolutions of each stage's blocks; none: those of the stage."""

    def __post_init__(self) -> None:
        if any(width % GROUPS for width in (*self.widths, *self.inner)):
            raise ValueError(f"widths {self.widths} must be multiples of {GROUPS}")

    @property
    def inner_widths(self) -> tuple[int, ...]:
        """Channels between the two convolutions of each stage's blocks."""
        return tuple(self.inner or self.widths)


class Resnet(nn.Module):
    """A first convolution, stages of residual blocks, and the mean over the pixels."""

    def __init__(self, config: ResnetConfig) -> None:
        super().__init__()
        self.config = config
        first, first_inner = config.widths[0], config.inner_widths[0]
        self.first = nn.Conv2d(config.channels, first, 3, padding=1, bias=False)
        self.norm = nn.GroupNorm(GROUPS, first)
        blocks = [ResidualBlock(first, first, 1, first_inner) for _ in range(config.blocks)]
        stages = zip(pairwise(config.widths), config.inner_widths[1:], strict=True)
        for (narrow, wide), inner in stages:
            blocks.append(ResidualBlock(narrow, wide, 2, inner))
            blocks += [ResidualBlock(wide, wide, 1, inner) for _ in range(config.blocks - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(config.widths[-1], config.num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [B, K] from pixels [B, C, H, W]."""
        maps_BDHW = self.blocks(self.norm(self.first(pixels)).relu())
        logits_BK: Tensor = self.head(maps_BDHW.mean((2, 3)))
        return logits_BK


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, which is a projection where the shape changes."""

    def __init__(self, narrow: int, wide: int, stride: int, inner: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(narrow, inner, 3, stride, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(GROUPS, inner)
        self.second = nn.Conv2d(inner, wide, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(GROUPS, wide)
        is_same = narrow == wide and stride == 1
        self.shortcut = nn.Identity() if is_same else nn.Conv2d(narrow, wide, 1, stride)

    def forward(self, maps_BDHW: Tensor) -> Tensor:
        """Maps of the new width, their sides divided by the stride."""
        found_BDHW = self.first_norm(self.first(maps_BDHW)).relu()
        found_BDHW = self.second_norm(self.second(found_BDHW))
        output_BDHW: Tensor = (found_BDHW + self.shortcut(maps_BDHW)).relu()
        return output_BDHW
