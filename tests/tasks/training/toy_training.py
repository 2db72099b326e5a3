"""A training small enough for tests; run as a script it is one of two workers."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import save_file

from models.build import build_model
from tasks.training.course import Course, Material, Setting, TrainState, new_state
from tasks.training.device import Device
from tasks.training.examples import Examples
from tasks.training.group import Group
from tasks.training.loop import train
from tasks.training.losses import DistilLoss, LabelLoss

SHAPE = {
    "num_classes": 3, "vocab_size": 40, "layers": 1, "width": 16, "heads": 2,
    "feed_forward": 32, "max_positions": 16,
}  # fmt: skip
CPU = Device(torch.device("cpu"), bfloat16=False)


class ToyEncoder:
    """Rows are lists of ids already."""

    names: tuple[str, ...] = ("input_ids", "attention_mask")
    batch_rows = 8
    ragged_axes: tuple[int, ...] = (1,)

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> list[Any]:
        return list(columns["ids"])

    def length(self, row: Any) -> int:
        return len(row)

    def batch(self, rows: Sequence[Any]) -> dict[str, np.ndarray]:
        ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
        return {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64)}


def toy_examples(count: int, seed: int) -> Examples:
    """Rows whose class is the remainder of their first id, and a teacher that knows it."""
    random = np.random.default_rng(seed)
    rows = [random.integers(1, 40, random.integers(2, 12)).tolist() for _ in range(count)]
    labels = np.array([row[0] % 3 for row in rows], dtype=np.int64)
    teacher = np.eye(3, dtype=np.float32)[labels] * 3
    return Examples(rows, [len(row) for row in rows], labels, teacher)


def toy_material(count: int = 70) -> Material:
    return Material(encoder=ToyEncoder(), train=toy_examples(count, 1), valid=toy_examples(30, 2))


def weighted(material: Material) -> Material:
    """The same rows, which count 1, 2 or 3."""
    weights = (1 + np.arange(len(material.train)) % 3).astype(np.float32)
    return replace(material, train=replace(material.train, weights=weights))


def toy_course(is_distilled: bool = False, epochs: int = 2) -> Course:
    loss = DistilLoss(temperature=2.0, weight=0.8) if is_distilled else LabelLoss()
    return Course(epochs=epochs, batch_size=16, lr=5e-3, seed=7, loss=loss)


def toy_state(course: Course, dropout: float = 0.1) -> TrainState:
    torch.manual_seed(course.seed)
    model = build_model("text_encoder", SHAPE | {"dropout": dropout})
    return new_state(model, course, CPU)


def one_of_two(rank: int, folder: Path, material: Material) -> None:
    """Train without dropout as worker `rank`; the first one leaves weights and curve."""
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2,
        timeout=timedelta(seconds=60),
    )  # fmt: skip
    course = toy_course()
    state = toy_state(course, dropout=0.0)
    train(state, course, material, Setting(CPU, Group(rank, 2)))
    if rank == 0:
        losses = torch.tensor([point["train/loss"] for point in state.history])
        save_file({"losses": losses} | state.trained_weights(), folder / "result.safetensors")
    dist.barrier()  # who leaves while the other still works may be aborted in its threads
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    rows = weighted(toy_material()) if sys.argv[3:] == ["weighted"] else toy_material()
    one_of_two(int(sys.argv[1]), Path(sys.argv[2]), rows)
