"""What each task makes of a training: its loss, and the scores that choose the epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tasks.artifacts import Task
from tasks.compression.distil_config import DistilConfig
from tasks.training.answers import Kept
from tasks.training.config import TrainConfig
from tasks.training.losses import DistilLoss, LabelLoss, Loss, NumberLoss
from tasks.training.scores import class_scores, item_scores, number_scores
from tasks.training.technique import ScoreName
from tasks.training.token_losses import TokenLoss, likeliest, token_scores, token_sums

Answers = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """One task."""

    loss: Callable[[TrainConfig, DistilConfig | None], Loss]
    """Of the settings of a training and, for a distillation, how much the teacher counts."""
    scores: Callable[[Answers, NDArray[Any]], dict[str, float]]
    """Of a model's answers to the validation rows [N, C] and their labels, keyed `valid/...`."""
    choices: tuple[ScoreName, ...]
    """The scores that may choose the epoch."""
    usual: ScoreName | None = None
    """The one that does when the project names none; None: that of the architecture."""
    kept: Kept | None = None
    """What `scores` is given of a batch's logits; None: all of them."""
    taught: Callable[[Tensor, int], Tensor] | None = None
    """What a student is given of the teacher's logits, [B, W], for so many tokens of a row; None:
    all of them."""


def class_loss(config: TrainConfig, distil: DistilConfig | None) -> Loss:
    """Cross entropy, with the teacher's softened answer where there is one."""
    if distil is None:
        return LabelLoss(smoothing=config.label_smoothing)
    return DistilLoss(
        temperature=distil.temperature, weight=distil.weight, smoothing=config.label_smoothing
    )


def number_loss(config: TrainConfig, distil: DistilConfig | None) -> Loss:
    """Squared error."""
    del config
    return NumberLoss(weight=distil.weight if distil else 0.0)


def token_loss(config: TrainConfig, distil: DistilConfig | None) -> Loss:
    """Cross entropy of each next token, and the teacher's likeliest tokens where there is one."""
    if distil is None:
        return TokenLoss(smoothing=config.label_smoothing)
    return TokenLoss(
        temperature=distil.temperature, weight=distil.weight, smoothing=config.label_smoothing
    )


OBJECTIVES: dict[Task, Objective] = {
    "classification": Objective(
        loss=class_loss, scores=class_scores, choices=("macro_f1", "accuracy", "loss")
    ),
    "ranking": Objective(loss=class_loss, scores=item_scores, choices=("loss",), usual="loss"),
    "regression": Objective(
        loss=number_loss, scores=number_scores, choices=("r2", "loss"), usual="r2"
    ),
    "generation": Objective(
        loss=token_loss,
        scores=token_scores,
        choices=("loss",),
        usual="loss",
        kept=token_sums,
        taught=likeliest,
    ),
}


def score_of(config: TrainConfig, task: Task) -> ScoreName:
    """The score that chooses the epoch; ValueError when the task has no such score."""
    objective = OBJECTIVES[task]
    if config.choose_by == "auto":
        return objective.usual or config.usual_choice
    if config.choose_by not in objective.choices:
        raise ValueError(
            f"choose_by {config.choose_by} of {config.name}: task {task} has "
            f"{' and '.join(objective.choices)}"
        )
    return config.choose_by


def kept_for_students(task: Task, tokens: int) -> Kept | None:
    """What is kept of the teacher's logits, for so many tokens of a row."""
    taught = OBJECTIVES[task].taught
    return None if taught is None else lambda logits, batch, encoder: taught(logits, tokens)  # noqa: ARG005
