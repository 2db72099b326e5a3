"""A training small enough for tests; run as a script it is one of two workers."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor, nn

from models.build import build_model
from tasks.training.course import Course, Material, Setting, TrainState, new_state
from tasks.training.device import Device
from tasks.training.examples import Examples
from tasks.training.group import Group
from tasks.training.loop import train
from tasks.training.losses import DistilLoss, LabelLoss
from tasks.training.resume import restore
from tests.in_process import Stop, StopAt

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


MOST_ROWS = 3
"""What the second worker's memory holds at once, where it is small."""


def lack_memory(state: TrainState, where: str) -> None:
    """Let memory run out on the way there, or on the way back, of more than a few rows.

    Or on the way there once the optimizer has its `moments`, or the `best` weights are kept.
    """
    sizes: list[int] = []
    held = {"moments": lambda: state.optimizer.state, "best": lambda: state.best_weights}
    is_full = held.get(where, lambda: where == "forward")

    def on_the_way_there(module: nn.Module, args: Any, inputs: Mapping[str, Tensor]) -> None:
        sizes.append(len(inputs["input_ids"]))
        if is_full() and torch.is_grad_enabled() and sizes[-1] > MOST_ROWS:
            raise torch.OutOfMemoryError("CUDA out of memory")

    def on_the_way_back(*_: Any) -> None:
        if where == "backward" and sizes[-1] > MOST_ROWS:
            raise torch.OutOfMemoryError("CUDA out of memory")

    state.model.register_forward_pre_hook(on_the_way_there, with_kwargs=True)
    head: Any = state.model.head
    head.register_full_backward_pre_hook(on_the_way_back)


def watch_modes(state: TrainState) -> list[bool]:
    """Whether all of the model was in training, at each of its learning steps so far."""
    modes: list[bool] = []

    def look(model: nn.Module, _: Any) -> None:
        if torch.is_grad_enabled():
            modes.append(all(module.training for module in model.modules()))

    state.model.register_forward_pre_hook(look)
    return modes


def killed(course: Course, material: Material, setting: Setting, dropout: float) -> TrainState:
    """A training that was killed in its second epoch, before it goes on."""
    stop = StopAt(7)
    with suppress(Stop):
        observed = replace(setting, observer=stop)
        train(toy_state(course, dropout), course, material, observed)
    state = toy_state(course, dropout)
    assert stop.checkpoint is not None
    restore(state, stop.checkpoint)
    return state


def one_of_two(rank: int, folder: Path, how: str = "") -> None:
    """Train as worker `rank`; the first one leaves weights, curve, and whether it was in training.

    Without dropout, unless that is `how`; what is `resumed` was killed in its second epoch.
    """
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2,
        timeout=timedelta(seconds=60),
    )  # fmt: skip
    material = weighted(toy_material()) if "weighted" in how else toy_material()
    course, setting = toy_course(), Setting(CPU, Group(rank, 2))
    dropout = 0.3 if "dropout" in how else 0.0
    is_resumed = "resumed" in how
    state = killed(course, material, setting, dropout) if is_resumed else toy_state(course, dropout)
    if "lacking" in how and rank == 1:
        lack_memory(state, how.rpartition("-")[2])
    modes = watch_modes(state)
    train(state, course, material, setting)
    if rank == 0:
        losses = torch.tensor([point["train/loss"] for point in state.history])
        found = {"losses": losses, "parts": torch.tensor(state.parts), "modes": torch.tensor(modes)}
        save_file(found | state.trained_weights(), folder / "result.safetensors")
    dist.barrier()  # who leaves while the other still works may be aborted in its threads
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    one_of_two(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
