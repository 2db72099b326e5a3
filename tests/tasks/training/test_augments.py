"""No augmentation reaches a validation row or the holdout, of whatever kind of data."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import get_args

import numpy as np
import torch

from tasks.training.answers import logits_of
from tasks.training.architectures import StudentConfig, TeacherConfig
from tasks.training.augments import AUGMENTS
from tasks.training.course import Setting
from tasks.training.examples import Batch
from tasks.training.loop import train

ROOT = Path(__file__).resolve().parents[3]
TOGETHER = ("tasks/sweep/apart.py", "tasks/sweep/member_batches.py")
KNOWING = ("tasks/training/", *TOGETHER, "flows/project")
"""Who may know of augmentation: what trains, and the words of a project file."""


def architectures() -> set[type]:
    both = (TeacherConfig, StudentConfig)
    return {config for union in both for config in get_args(get_args(union)[0])}


def augment_types() -> set[type]:
    return {
        c.model_fields["augment"].annotation for c in architectures() if "augment" in c.model_fields
    }


def test_every_kind_of_augmentation_has_its_maker() -> None:
    assert augment_types() <= set(AUGMENTS)


class Witness:
    """An augmentation that notes which rows it was shown, and makes nonsense of them."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def __call__(self, batch: Batch, random: np.random.Generator) -> Batch:
        del random
        self.seen.append(batch.labels.numpy())
        ids = torch.ones_like(batch.inputs["input_ids"])
        return replace(batch, inputs=batch.inputs | {"input_ids": ids})


def test_the_loop_varies_training_rows_alone(toy: ModuleType) -> None:
    """The one loop serves every kind: what it varies is what it learns from."""
    witness, course = Witness(), toy.toy_course(epochs=3)
    material = toy.toy_material()
    state = toy.toy_state(course)
    train(state, replace(course, augment=witness), material, Setting(toy.CPU))
    assert sum(map(len, witness.seen)) == 3 * len(material.train)
    # Nonsense taught nothing, but the validation rows were answered as they stand.
    logits = logits_of(state.model, material.encoder, material.valid, Setting(toy.CPU))
    scored = [point["valid/accuracy"] for point in state.history if "valid/accuracy" in point]
    assert scored[-1] == float((logits.argmax(1) == material.valid.labels).mean())
    assert len({tuple(row) for row in logits.round(5).tolist()}) > 1


def test_nothing_outside_training_knows_of_it() -> None:
    """The holdout is answered by the exported bundle: the word itself is not there."""
    sources = [
        p for room in ("tasks", "models", "flows", "infra") for p in (ROOT / room).rglob("*.py")
    ]
    found = [
        str(path.relative_to(ROOT))
        for path in sources
        if "augment" in path.read_text(encoding="utf-8").lower()
        and not str(path.relative_to(ROOT)).startswith(KNOWING)
    ]
    assert found == []
