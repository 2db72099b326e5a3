"""Float models as folders: model.json, model.safetensors, encoder files, history, manifest."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.build import build_model
from tasks.artifacts import Task
from tasks.packaging.bundle import GRAPH
from tasks.packaging.manifest import MANIFEST, digest_of_files, write_manifest
from tasks.packaging.predictor import Encoder, load_encoder
from tasks.training.blueprint import Blueprint
from tasks.training.course import Point

FORMAT = 1
CARD, WEIGHTS, HISTORY = "model.json", "model.safetensors", "history.json"
VALID, LESSON = "valid.safetensors", "lesson.safetensors"
"""Of an estimator that torch does not know: its answers to the validation rows, and a teacher's to
the training rows; its graph is in the folder already."""
_OUR_FILES = {CARD, WEIGHTS, HISTORY, MANIFEST, GRAPH, VALID, LESSON}
"""Of a model folder; the others are the encoder's."""


class ModelCard(BaseModel):
    """What model.json holds: all but the numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    family: str
    config: dict[str, Any]
    encoder: dict[str, Any]
    task: Task = "classification"
    classes: tuple[str, ...]
    scale: tuple[float, float] | None = None
    """Of a regression: mean and deviation of the numbers that it learned as standard scores."""
    inputs: tuple[str, ...]


def card_of(
    model: nn.Module,
    blueprint: Blueprint,
    classes: Sequence[str],
    scale: tuple[float, float] | None = None,
    task: Task = "classification",
) -> ModelCard:
    """The card of a model that was built from `blueprint`."""
    return ModelCard(
        family=blueprint.family,
        config=asdict(model.config),  # type: ignore[call-overload]
        encoder=blueprint.encoder,
        task=task,
        classes=tuple(classes),
        scale=scale,
        inputs=blueprint.inputs,
    )


def save_model(
    folder: Path,
    weights: Mapping[str, Tensor],
    card: ModelCard,
    encoder_files: Mapping[str, bytes],
    history: Sequence[Point],
) -> str:
    """Fill `folder`; the digest of what decides an answer, which the history does not."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    save_file({name: weight.contiguous() for name, weight in weights.items()}, folder / WEIGHTS)
    for name, content in encoder_files.items():
        (folder / name).write_bytes(content)
    (folder / HISTORY).write_text(json.dumps(list(history), indent=1) + "\n", encoding="utf-8")
    digest = digest_of_files(folder, [CARD, WEIGHTS, *encoder_files])
    write_manifest(folder, digest)
    return digest


def encoder_paths(folder: Path) -> dict[str, Path]:
    """The encoder's files in a model folder, by name."""
    return {path.name: path for path in folder.iterdir() if path.name not in _OUR_FILES}


def trained_blueprint(folder: Path) -> Blueprint:
    """The blueprint of a model that goes on from the weights in `folder`."""
    card = load_card(folder)
    return Blueprint(
        family=card.family,
        config=card.config,
        inputs=card.inputs,
        encoder=card.encoder,
        files={name: path.read_bytes() for name, path in encoder_paths(folder).items()},
        start=(folder / WEIGHTS).read_bytes(),
    )


def is_network(folder: Path) -> bool:
    """Whether the folder holds weights for torch; else it holds an estimator's own answers."""
    return (folder / WEIGHTS).is_file()


def load_card(folder: Path) -> ModelCard:
    """The card; ValueError for a format that is not ours."""
    card = ModelCard.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
    if card.format != FORMAT:
        raise ValueError(f"{folder / CARD}: format {card.format} must be {FORMAT}")
    return card


def load_own_answers(folder: Path, name: str) -> NDArray[np.float32]:
    """Logits [N, C] that an estimator gave when it was fitted: VALID or LESSON."""
    answers: NDArray[np.float32] = load_arrays(folder / name)["answers"]
    return answers


def load_model(folder: Path) -> tuple[nn.Module, Encoder, ModelCard]:
    """The model in evaluation mode, its encoder, and its card.

    Raises ValueError for a format that is not ours.
    """
    card = load_card(folder)
    model = build_model(card.family, card.config)
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.eval(), load_encoder(card.encoder, folder), card


def load_history(folder: Path) -> list[Point]:
    """The learning curve."""
    points: list[Point] = json.loads((folder / HISTORY).read_text(encoding="utf-8"))
    return points


def num_params(weights: Mapping[str, Tensor]) -> int:
    """Numbers in the weights."""
    return sum(weight.numel() for weight in weights.values())
