"""What a model is before it is trained: architecture, encoder, first weights."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.build import build_model
from models.efficientnet_lite import (
    PACKAGE,
    EfficientNetLiteConfig,
    pretrained_efficientnet,
)
from models.pretrained import pretrained_encoder
from models.text_encoder import TextEncoderConfig
from tasks.packaging.predictor import Encoder, load_encoder


@dataclass(frozen=True, kw_only=True, slots=True)
class Blueprint:
    """Small enough to travel; every worker builds the same model from it."""

    family: str
    config: dict[str, Any]
    inputs: tuple[str, ...]
    """Columns that the encoder reads."""
    encoder: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    """Files that the encoder is loaded from, by name."""
    pretrained: str | None = None
    """Folder of the encoder, or package of the backbone, that it starts from, on every machine that
    trains; None: fresh."""
    kept_ids: tuple[int, ...] | None = None
    """Rows of the pretrained word table that the model keeps; None keeps all."""
    frozen: tuple[str, ...] = ()
    """Parameters whose names start so are not trained."""


def first_model(blueprint: Blueprint, seed: int) -> nn.Module:
    """The model at step 0, the same for the same seed."""
    torch.manual_seed(seed)
    if blueprint.pretrained is None:
        return build_model(blueprint.family, blueprint.config)
    if blueprint.pretrained == PACKAGE:
        return pretrained_efficientnet(EfficientNetLiteConfig(**blueprint.config))
    kept = None if blueprint.kept_ids is None else torch.tensor(blueprint.kept_ids)
    config = TextEncoderConfig(**blueprint.config)
    return pretrained_encoder(Path(blueprint.pretrained), config, kept)


def open_encoder(blueprint: Blueprint) -> Encoder:
    """The encoder, from the files that the blueprint carries."""
    with tempfile.TemporaryDirectory(prefix="encoder-") as folder:
        for name, content in blueprint.files.items():
            Path(folder, name).write_bytes(content)
        return load_encoder(blueprint.encoder, Path(folder))
