"""What a student learns of its teacher beside the answers: how rows look before the last layer.

The features of a model are what its `head` reads, whatever its kind. A teacher's are computed once,
beside its answers; a student's are taken in the step, by hooks, so that the loop stays the one that
it is. Validation and export never see them.
Shapes: B batch, C answers, D teacher's features, d student's, W all that a model says in training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp
from torch import Tensor, nn
from torch.nn import functional

from tasks.training.losses import Loss

PROJECTION, TOKEN_PROJECTION = "hint_projection", "hint_projection_of_tokens"
"""Layers that training adds to a student, and that no exported model has."""
ANGLE_SHARE = 2.0
"""Of angles against distances, as in the experiments of arXiv:1904.05068."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenHints:
    """How much each of `token_hints` counts, and whose layers a student's learn from."""

    hidden: float = 0.0
    """Of every layer's states, and the embeddings."""
    attention: float = 0.0
    """Of every layer's attention."""
    relations: float = 0.0
    """Of the last layer's queries, keys and values."""
    layer_map: str = "uniform"


@dataclass(frozen=True, kw_only=True, slots=True)
class HintLoss:
    """A distillation, and how far the student's view of a row is from the teacher's."""

    answers: Loss
    """Of labels and the teacher's answers."""
    num_answers: int
    width: int
    """Of the teacher's features; 0 where nothing is learned of them."""
    features: float = 0.0
    """Weight of `feature_loss`."""
    relations: float = 0.0
    """Weight of `relation_loss`."""
    tokens: TokenHints | None = None
    """What else is learned in the step: the model says last what it adds to a row's loss."""

    def __call__(self, said_BW: Tensor, labels_B: Tensor, teacher_BW: Tensor | None) -> Tensor:
        """Loss of each row, [B], of answers, projected features and own features in one tensor."""
        assert teacher_BW is not None, "hints are the teacher's"
        if self.tokens:
            rest = replace(self, tokens=None)(said_BW[:, :-1], labels_B, teacher_BW)
            return rest + said_BW[:, -1]
        own = self.num_answers + self.width
        answers_BC, seen_BD = teacher_BW.tensor_split((self.num_answers,), dim=1)
        logits_BC, projected_BD, own_Bd = said_BW.tensor_split((self.num_answers, own), dim=1)
        loss_B = self.answers(logits_BC, labels_B, answers_BC)
        if self.features:
            loss_B = loss_B + self.features * feature_loss(projected_BD, seen_BD)
        if self.relations:
            loss_B = loss_B + self.relations * relation_loss(own_Bd, seen_BD)
        return loss_B


def feature_loss(projected_BD: Tensor, seen_BD: Tensor) -> Tensor:
    """Mean squared difference of a row's features, [B] (FitNets, arXiv:1412.6550, equation 3)."""
    return functional.mse_loss(projected_BD.float(), seen_BD.float(), reduction="none").mean(1)


def relation_loss(own_Bd: Tensor, seen_BD: Tensor) -> Tensor:
    """How differently the rows of a batch lie to each other, [B] (RKD, arXiv:1904.05068).

    No projection: a student may turn and scale what it sees. 0 for a row that is alone.
    """
    if len(own_Bd) < 2:
        return own_Bd.float().sum(1) * 0.0
    own_Bd, seen_BD = own_Bd.float(), seen_BD.float()
    distances_BB = functional.smooth_l1_loss(
        relative_distances(own_Bd), relative_distances(seen_BD), reduction="none"
    )
    angles_BBB = functional.smooth_l1_loss(angles(own_Bd), angles(seen_BD), reduction="none")
    others = len(own_Bd) - 1
    return distances_BB.sum(1) / others + ANGLE_SHARE * angles_BBB.mean((1, 2))


def relative_distances(points_BD: Tensor) -> Tensor:
    """Distances [B, B] in units of their mean (equation 5 of arXiv:1904.05068)."""
    apart_BB = torch.cdist(points_BD, points_BD, compute_mode="donot_use_mm_for_euclid_dist")
    pairs = len(points_BD) * (len(points_BD) - 1)
    return apart_BB / (apart_BB.sum() / pairs).clamp(min=1e-12)


def angles(points_BD: Tensor) -> Tensor:
    """Cosines [B, B, B] at a row, the first axis, between two others (its equation 8)."""
    ways_BBD = functional.normalize(points_BD[None, :, :] - points_BD[:, None, :], dim=2)
    return ways_BBD @ ways_BBD.transpose(1, 2)


def show_features(model: nn.Module, width: int | None = None) -> None:
    """From now on the model answers [B, C + d], its features behind its answers.

    With the `width` D of a teacher's features: in training alone, and [B, C + D + d], a projection
    of them to those between, which becomes a part of the model.
    """
    head: Any = getattr(model, "head", None)
    assert isinstance(head, nn.Linear), f"{type(model).__name__} has no linear head"
    if width is not None:
        setattr(model, PROJECTION, nn.Linear(head.in_features, width))
    seen: list[Tensor] = []

    def see(head: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        del head
        seen[:] = inputs[:1]

    def say(model: nn.Module, inputs: tuple[Any, ...], answers_BC: Tensor) -> Tensor:
        del inputs
        if width is None:
            return torch.cat([answers_BC, seen.pop()], dim=1)
        if not model.training:
            return answers_BC
        projected_BD = getattr(model, PROJECTION)(seen[0])
        return torch.cat([answers_BC, projected_BD, seen.pop()], dim=1)

    head.register_forward_pre_hook(see)
    model.register_forward_hook(say)


def without_projection(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The student's own weights."""
    starts = f"{PROJECTION}.", f"{TOKEN_PROJECTION}."
    return {name: weight for name, weight in weights.items() if not name.startswith(starts)}


def mean_lesson(
    said_NW: NDArray[np.float32],
    teachers: int,
    num_answers: int,
    temperature: float,
    shares: Sequence[float] = (),
) -> NDArray[np.float32]:
    """What several teachers said as if one had [N, C + their features], from a block of each.

    Softened by `temperature`, its answers are the mean of the softened answers; numbers are means.
    Of `shares`, which add up to one, the weighted mean.
    """
    shares_K = np.array(shares or [1 / teachers] * teachers)
    blocks = np.split(said_NW, teachers, axis=1)
    answers_KNC = np.stack([block[:, :num_answers] for block in blocks])
    if num_answers == 1:
        mean_NC = np.average(answers_KNC, axis=0, weights=shares_K)
    else:
        softened_KNC = log_softmax(answers_KNC.astype(np.float64) / temperature, axis=-1)
        mean_NC = temperature * logsumexp(softened_KNC, axis=0, b=shares_K[:, None, None])
    features = [block[:, num_answers:] for block in blocks]
    return np.concatenate([mean_NC, *features], axis=1, dtype=np.float32)


def standard_features(said_NW: NDArray[np.float32], num_answers: int) -> NDArray[np.float32]:
    """A teacher's answers and features [N, C + D], the features as standard scores.

    So that one weight means the same whatever the teacher; the head stays linear in them.
    """
    features_ND = said_NW[:, num_answers:]
    deviation_D = features_ND.std(axis=0)
    scores_ND = (features_ND - features_ND.mean(axis=0)) / np.where(deviation_D, deviation_D, 1.0)
    return np.concatenate([said_NW[:, :num_answers], scores_ND], axis=1, dtype=np.float32)
