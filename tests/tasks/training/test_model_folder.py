"""What is saved is what is loaded, and its digest covers what decides an answer."""

import json
from pathlib import Path

import pytest
import torch

from models.build import build_model
from tasks.packaging.manifest import verify_manifest
from tasks.training.blueprint import Blueprint, first_model
from tasks.training.model_folder import (
    card_of,
    load_history,
    load_model,
    num_params,
    save_model,
)

ENCODER = {"kind": "hashed_ngrams", "column": "text", "buckets": 1024,
           "word_ngrams": [1, 2], "char_ngrams": [3, 5]}  # fmt: skip
BLUEPRINT = Blueprint(
    family="ngram_bag",
    config={"num_classes": 2, "buckets": 1024, "width": 8},
    inputs=("text",),
    encoder=ENCODER,
)


def save(folder: Path, history: list[dict[str, float]]) -> str:
    model = first_model(BLUEPRINT, 7)
    card = card_of(model, BLUEPRINT, ("no", "yes"))
    return save_model(folder, model.state_dict(), card, {}, history)


def test_a_saved_model_answers_as_before(tmp_path: Path) -> None:
    save(tmp_path, [{"step": 1, "train/loss": 0.5}])
    model, encoder, card = load_model(tmp_path)
    batch = encoder.batch(encoder.rows({"text": ["a small text"]}))
    inputs = {name: torch.from_numpy(array) for name, array in batch.items()}
    assert torch.equal(model(**inputs), first_model(BLUEPRINT, 7).eval()(**inputs))
    assert (card.classes, card.inputs) == (("no", "yes"), ("text",))
    assert load_history(tmp_path) == [{"step": 1, "train/loss": 0.5}]
    verify_manifest(tmp_path)


def test_the_history_is_not_part_of_the_identity(tmp_path: Path) -> None:
    first = save(tmp_path / "a", [{"step": 1, "time_ms": 10}])
    assert first == save(tmp_path / "b", [{"step": 1, "time_ms": 99}])
    assert first == json.loads((tmp_path / "a" / "manifest.json").read_text())["digest"]


def test_another_format_is_refused(tmp_path: Path) -> None:
    save(tmp_path, [])
    card = json.loads((tmp_path / "model.json").read_text()) | {"format": 2}
    (tmp_path / "model.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="format 2 must be 1"):
        load_model(tmp_path)


def test_params_are_counted() -> None:
    model = build_model("ngram_bag", {"num_classes": 2, "buckets": 1024, "width": 8, "hidden": 4})
    assert num_params(model.state_dict()) == 1024 * 8 + 2 * 8 + (8 * 4 + 4) + (4 * 2 + 2)
