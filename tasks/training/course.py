"""What one training is: what is done, from what material, where, and how far it is."""

import math
from dataclasses import dataclass, field
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from tasks.packaging.predictor import Encoder
from tasks.training.batches import steps_per_epoch
from tasks.training.device import Device
from tasks.training.examples import Examples
from tasks.training.group import Group
from tasks.training.losses import Loss

Point = dict[str, float]
"""One point of a learning curve: step, epoch, time_ms, lr, train/loss, valid/..."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What is done to a model: how often, how fast, towards what."""

    epochs: int
    batch_size: int
    lr: float
    weight_decay: float
    seed: int
    loss: Loss
    choose_by: Literal["macro_f1", "r2"] = "macro_f1"
    """The validation score whose best epoch is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What is learned from, and what chooses the epoch."""

    encoder: Encoder
    train: Examples
    valid: Examples


@dataclass
class TrainState:
    """All that a training is, at one step."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    replica: nn.Module
    """The same weights as `model`; its gradients are averaged over the workers."""
    step: int = 0
    epochs_done: int = 0
    """Epochs whose validation is done."""
    lr: float = 0.0
    history: list[Point] = field(default_factory=list)
    best_score: float = -math.inf
    best_step: int = -1
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    window_loss: float = 0.0
    """Sum of this worker's row losses since the last point of the curve."""
    window_rows: int = 0
    elapsed_seconds: float = 0.0

    def trained_weights(self) -> dict[str, Tensor]:
        """Weights that training moves, by name; the others follow from the model's start."""
        named = self.model.named_parameters()
        return {name: weight.detach() for name, weight in named if weight.requires_grad}


class Observer(Protocol):
    """Who is told how far a training is: saves and reports, changes nothing."""

    def on_step(self, state: TrainState, total_steps: int) -> None:
        """After each optimizer step."""
        ...

    def on_epoch(self, state: TrainState, total_steps: int) -> None:
        """After each pass, validation included."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a training runs: device, workers, who watches."""

    device: Device
    group: Group = field(default_factory=Group)
    observer: Observer | None = None


def new_state(
    model: nn.Module, course: Course, device: Device, frozen: tuple[str, ...] = ()
) -> TrainState:
    """A training that has not begun; parameters whose name has a `frozen` start never move."""
    model.to(device.torch_device)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not any(name.startswith(start) for start in frozen))
    return TrainState(model, make_optimizer(model, course), replica=model)


def make_optimizer(model: nn.Module, course: Course) -> torch.optim.Optimizer:
    """AdamW (arXiv:1711.05101); matrices decay, tables, biases and norms do not."""
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decaying = [p for p in trained if p.dim() > 1 and id(p) not in tables]
    others = [p for p in trained if p.dim() <= 1 or id(p) in tables]
    groups = [
        {"params": decaying, "weight_decay": course.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=course.lr, fused=True)


def num_steps(course: Course, material: Material) -> int:
    """Optimizer steps of the whole training."""
    return course.epochs * steps_per_epoch(len(material.train), course.batch_size)
