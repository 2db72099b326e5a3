"""What a model is before it is trained: architecture, encoder, first weights."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

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
    start: bytes | None = None
    """All weights that it starts from, as safetensors writes them, where it was trained before."""

    @property
    def weights(self) -> dict[str, Tensor]:
        """Those that it starts from."""
        assert self.start is not None, "only a model that was trained before has weights"
        return load(self.start)

    def started(self, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> "Blueprint":
        """The same model in another shape, from other weights."""
        held = {name: tensor.contiguous() for name, tensor in weights.items()}
        return replace(self, config=dict(config), start=save(held), pretrained=None, kept_ids=None)


def first_model(blueprint: Blueprint, seed: int) -> nn.Module:
    """The model at step 0, the same for the same seed."""
    torch.manual_seed(seed)
    if blueprint.start is not None:
        model = build_model(blueprint.family, blueprint.config)
        model.load_state_dict(blueprint.weights)
        return model
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
