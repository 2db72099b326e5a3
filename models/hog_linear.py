"""Histograms of oriented gradients (Dalal and Triggs 2005) and a linear model, as one graph.

Shapes: B batch, C channels, H and W pixels, O orientations, R and S rows and columns of cells,
F features, K classes.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

ORIENTATIONS = 9
CLIP = 0.2
"""Of a block's values after its first normalisation (L2-Hys)."""
TINY = 1e-5


@dataclass(frozen=True, kw_only=True, slots=True)
class HogLinearConfig:
    """Shape of the model."""

    num_classes: int
    size: int
    """Pixels of a side."""
    cell: int
    """Pixels of a side of a cell; four cells make a block."""

    @property
    def features(self) -> int:
        """Numbers of one picture."""
        return 4 * ORIENTATIONS * (self.size // self.cell - 1) ** 2


class HogLinear(nn.Module):
    """Pixels to class logits."""

    def __init__(self, config: HogLinearConfig) -> None:
        super().__init__()
        self.config = config
        self.head = nn.Linear(config.features, config.num_classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [B, K] from pixels [B, C, H, W]."""
        logits_BK: Tensor = self.head(hog(pixels, self.config.cell))
        return logits_BK


def hog(pixels_BCHW: Tensor, cell: int) -> Tensor:
    """Features [B, F]: per block, per cell, per orientation."""
    down_BHW, right_BHW = _steepest(*_gradients(pixels_BCHW))
    length_BHW = (down_BHW**2 + right_BHW**2).sqrt()
    votes_BOHW = _sectors(down_BHW, right_BHW) * length_BHW.unsqueeze(1)
    cells_BORS = functional.avg_pool2d(votes_BOHW, cell)
    upper, lower = cells_BORS[:, :, :-1], cells_BORS[:, :, 1:]
    corners = [side for row in (upper, lower) for side in (row[..., :-1], row[..., 1:])]
    blocks_BFRS = _normalised(_normalised(torch.cat(corners, 1)).clamp(max=CLIP))
    return blocks_BFRS.permute(0, 2, 3, 1).flatten(1)


def _gradients(pixels_BCHW: Tensor) -> tuple[Tensor, Tensor]:
    """Differences of the neighbours below and above, right and left; 0 at the border."""
    down = pixels_BCHW[:, :, 2:] - pixels_BCHW[:, :, :-2]
    right = pixels_BCHW[:, :, :, 2:] - pixels_BCHW[:, :, :, :-2]
    return functional.pad(down, (0, 0, 1, 1)), functional.pad(right, (1, 1, 0, 0))


def _steepest(down_BCHW: Tensor, right_BCHW: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of the channel in which it is longest."""
    if down_BCHW.shape[1] == 1:
        return down_BCHW[:, 0], right_BCHW[:, 0]
    longest = (down_BCHW**2 + right_BCHW**2).argmax(1, keepdim=True)
    return down_BCHW.gather(1, longest)[:, 0], right_BCHW.gather(1, longest)[:, 0]


def _sectors(down_BHW: Tensor, right_BHW: Tensor) -> Tensor:
    """[B, O, H, W]: 1 for the sector of half a turn in which a gradient points, or its opposite.

    By the side of each border on which it lies: exact, and without an arc tangent, which ONNX has
    for one quarter only.
    """
    is_below = (down_BHW < 0) | ((down_BHW == 0) & (right_BHW < 0))
    sign = 1.0 - 2.0 * is_below.to(down_BHW.dtype)
    down_BHW, right_BHW = down_BHW * sign, right_BHW * sign
    angles = [math.pi * k / ORIENTATIONS for k in range(1, ORIENTATIONS)]
    beyond = [math.cos(a) * down_BHW - math.sin(a) * right_BHW >= 0 for a in angles]
    beyond_BOHW = torch.stack(beyond, 1).to(down_BHW.dtype)
    ones = torch.ones_like(beyond_BOHW[:, :1])
    # A gradient of length 0 is beyond every border; it has no vote to give.
    return torch.cat([ones, beyond_BOHW], 1) - torch.cat([beyond_BOHW, 0 * ones], 1)


def _normalised(blocks_BFRS: Tensor) -> Tensor:
    return blocks_BFRS / ((blocks_BFRS**2).sum(1, keepdim=True) + TINY**2).sqrt()
