"""Blueprints of the networks that read pictures, and the encoder that all of them share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.efficientnet_lite import PACKAGE
from tasks.artifacts import DatasetRef
from tasks.packaging.predictor.image import stored_pixels
from tasks.training.blueprint import Blueprint
from tasks.training.image_architectures import (
    EfficientNetLite,
    Lenet,
    Resnet,
    SharedKernelCnn,
    SmallLenet,
)
from tasks.training.job import Rows

PIXEL_MEAN, PIXEL_DEVIATION = 127.0, 128.0
"""Of the pictures that EfficientNet-Lite was taught with."""
MEASURED = 5000
"""Pictures from which mean and deviation are taken, spread evenly."""


def lenet(config: Lenet, dataset: DatasetRef, train: Rows) -> Blueprint:
    """Two 5 x 5 convolutions and two full layers."""
    own = {"filters": config.filters, "hidden": config.hidden, "dropout": config.dropout}
    return _blueprint("lenet", own, dataset, train, ("size",))


def small_lenet(config: SmallLenet, dataset: DatasetRef, train: Rows) -> Blueprint:
    """Two 3 x 3 convolutions and one full layer."""
    own = {"filters": config.filters, "hidden": config.hidden, "dropout": config.dropout}
    return _blueprint("small_lenet", own, dataset, train, ("size",))


def shared_kernel_cnn(config: SharedKernelCnn, dataset: DatasetRef, train: Rows) -> Blueprint:
    """One convolution, again and again."""
    own = {"width": config.width, "layers": config.layers, "dropout": config.dropout}
    return _blueprint("shared_kernel_cnn", own, dataset, train)


def resnet(config: Resnet, dataset: DatasetRef, train: Rows) -> Blueprint:
    """Stages of residual blocks."""
    own = {"widths": config.widths, "blocks": config.blocks}
    return _blueprint("resnet", own, dataset, train)


def efficientnet_lite(config: EfficientNetLite, dataset: DatasetRef, train: Rows) -> Blueprint:
    """A pretrained backbone and a fresh head; pixels are scaled as the backbone learned them."""
    own = {
        "resolution": config.resolution,
        "frozen": config.frozen,
        "dropout": config.dropout,
    }
    made = _blueprint("efficientnet_lite", own, dataset, train)
    channels = made.encoder["channels"]
    scale = {"mean": [PIXEL_MEAN] * channels, "deviation": [PIXEL_DEVIATION] * channels}
    return replace(
        made,
        encoder=made.encoder | scale,
        pretrained=PACKAGE,
        frozen=("backbone.",) if config.frozen else (),
    )


def image_encoder(column: str, pixels_NHWC: NDArray[np.uint8]) -> dict[str, Any]:
    """Configuration of the encoder: shape, mean and deviation of these training pictures."""
    greys_NC = pixels_NHWC.reshape(-1, pixels_NHWC.shape[-1]).astype(np.float64)
    return {
        "kind": "image",
        "column": column,
        "size": pixels_NHWC.shape[1],
        "channels": pixels_NHWC.shape[-1],
        "mean": [round(float(value), 4) for value in greys_NC.mean(axis=0)],
        "deviation": [round(float(value), 4) or 1.0 for value in greys_NC.std(axis=0)],
    }


def pictures(cells: Sequence[str], most: int = MEASURED) -> NDArray[np.uint8]:
    """Pixels [N, H, W, C] of at most so many cells of a snapshot, spread evenly."""
    chosen = np.linspace(0, len(cells) - 1, min(len(cells), most)).round().astype(int)
    pixels = np.stack([stored_pixels(cells[row]) for row in chosen])
    return pixels if pixels.ndim == 4 else pixels[..., None]


def _blueprint(
    family: str,
    own: dict[str, Any],
    dataset: DatasetRef,
    train: Rows,
    wanted: tuple[str, ...] = (),
) -> Blueprint:
    (column,) = dataset.inputs
    encoder = image_encoder(column, pictures(train.columns[column]))
    shape = {name: encoder[name] for name in ("channels", *wanted)}
    config = {"num_classes": dataset.num_outputs, **shape, **own}
    return Blueprint(family=family, config=config, inputs=dataset.inputs, encoder=encoder)
