"""What one training is: what is done, from what material, where, and how far it is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tasks.artifacts import Task
from tasks.compression.config import Precision
from tasks.costs.meter import Stopwatch
from tasks.packaging.predictor import Encoder
from tasks.training.batches import steps_per_epoch
from tasks.training.device import Device
from tasks.training.examples import Batch, Examples
from tasks.training.fake_quantization import fake_quantize, plain_weights
from tasks.training.group import Group
from tasks.training.held_zeros import hold_zeros, with_zeros_held
from tasks.training.hints import HintLoss, show_features, without_projection
from tasks.training.losses import Loss
from tasks.training.optimizers import make_optimizer
from tasks.training.recompute import recompute_blocks
from tasks.training.technique import ScoreName, Technique
from tasks.training.token_hints import teach_tokens
from tasks.training.tutors import Tutor

Point = dict[str, float]
"""One point of a learning curve: step, epoch, time_ms, lr, train/loss, valid/..."""


class Augment(Protocol):
    """What varies training batches, and nothing else: a function of the batch and the draws."""

    def __call__(self, batch: Batch, random: np.random.Generator) -> Batch:
        """A batch of as many rows, to be learned from in the place of `batch`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What is done to a model: how often, how fast, towards what."""

    epochs: int
    batch_size: int
    lr: float
    seed: int
    loss: Loss | HintLoss
    technique: Technique = field(default_factory=Technique)
    task: Task = "classification"
    choose_by: ScoreName = "macro_f1"
    """The validation score whose best epoch is kept."""
    augment: Augment | None = None
    """How training rows are varied; validation rows and the holdout never are."""
    gradient_checkpointing: bool = False
    fake_quantized: Precision | None = None
    """The form as which the model computes already; None: in float."""
    zeros_stay: bool = False
    """Whether what is zero of a product's weights is no longer learned."""

    @property
    def where(self) -> str:
        """The training in an error."""
        return f"optimizer {self.technique.optimizer}, lr {self.lr:.2g}"


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
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    averaged: dict[str, Tensor] = field(default_factory=dict)
    """Average of the weights, where the technique keeps one."""
    rate_factor: float = 1.0
    """What validation made of the scheduled rate."""
    health: dict[str, float] = field(default_factory=dict)
    """Of the newest gradient that was looked at, for the next point of the curve."""
    scaler: torch.amp.GradScaler = field(
        default_factory=lambda: torch.amp.GradScaler("cpu", enabled=False)
    )
    """Of the loss, for float16."""
    parts: int = 1
    """What the memory has multiplied the technique's `accumulate` by."""
    fitted_size: int = 0
    """Rows, times the longest of them, of the largest batch of this epoch, since the start or a
    restart, that all of many workers had memory for."""
    tiny_steps: int = 0
    """Steps in a row whose gradient was next to nothing."""
    window_loss: float = 0.0
    """Sum of this worker's row losses since the last point of the curve."""
    window_rows: float = 0
    """Weight of those rows: their number, where all count alike."""
    elapsed_seconds: float = 0.0
    watch: Stopwatch = field(default_factory=Stopwatch)
    """What this worker has used, before a kill too."""

    def trained_weights(self) -> dict[str, Tensor]:
        """What training moves, running statistics too, by name; the rest follows from the start."""
        fixed = {name for name, weight in self.model.named_parameters() if not weight.requires_grad}
        return {name: t for name, t in self.model.state_dict().items() if name not in fixed}

    def parameters(self) -> list[nn.Parameter]:
        """Those that the optimizer moves."""
        return [weight for group in self.optimizer.param_groups for weight in group["params"]]


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
    model: nn.Module,
    course: Course,
    device: Device,
    frozen: tuple[str, ...] = (),
    tutors: tuple[Tutor, ...] = (),
) -> TrainState:
    """A training that has not begun; parameters whose name has a `frozen` start never move.

    `tutors` read along where the loss asks for hints of tokens.
    """
    model.to(device.torch_device)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not any(name.startswith(start) for start in frozen))
    if course.gradient_checkpointing:
        recompute_blocks(model)
    if isinstance(course.loss, HintLoss) and course.loss.width:
        show_features(model, course.loss.width)
    if isinstance(course.loss, HintLoss) and course.loss.tokens:
        assert tutors, "hints of tokens are a teacher's that reads along"
        teach_tokens(model, course.loss.tokens, tutors)
    technique = course.technique
    optimizer = make_optimizer(
        technique.optimizer, model, course.lr, technique.decay, technique.momentum
    )
    if course.fake_quantized:  # behind the optimizer, which tells tables from matrices
        fake_quantize(model, course.fake_quantized)
    if course.zeros_stay:
        hold_zeros(model)
    return TrainState(model, optimizer, replica=model, scaler=device.scaler())


def own_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A model's weights as its architecture has them, without what `new_state` adds for a while."""
    return with_zeros_held(plain_weights(without_projection(weights)))


def num_steps(course: Course, material: Material) -> int:
    """Optimizer steps of the whole training."""
    return course.epochs * steps_per_epoch(len(material.train), course.batch_size)
