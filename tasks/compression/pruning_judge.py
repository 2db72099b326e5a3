"""What the parts of a model are worth to the losses of some rows, measured once of each model."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from tasks.compression.pruning_importance import (
    ImportanceName,
    Losses,
    activations,
    gate_gradients,
    magnitudes,
)
from tasks.compression.pruning_layers import layer_importance
from tasks.compression.pruning_units import Group
from tasks.training.batches import length_ordered_batches
from tasks.training.blueprint import Blueprint, first_model, open_encoder
from tasks.training.course import Course
from tasks.training.examples import encode, make_batch
from tasks.training.hints import HintLoss
from tasks.training.job import Rows
from tasks.training.losses import DistilLoss, NumberLoss
from tasks.training.token_losses import TokenLoss

BATCH_ROWS = 32
Worth = TypeVar("Worth")
Told = dict[tuple[str, ...], Any]
"""What was measured, by the weights that it was measured of and by its parts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judge:
    """Says what parts are worth to these rows."""

    rows: Rows
    course: Course
    how: ImportanceName
    told: Told
    """Of the same rows, course and way: what need not be measured again."""

    def units(self, blueprint: Blueprint, groups: Sequence[Group]) -> dict[str, Tensor]:
        """What each unit of these groups is worth."""

        def measured() -> dict[str, Tensor]:
            if self.how == "magnitude":
                return magnitudes(blueprint.weights, groups)
            measure = gate_gradients if self.how == "taylor" else activations
            return measure(first_model(blueprint, 0).eval(), groups, self.losses_of(blueprint))

        return self._once(blueprint, [group.name for group in groups], measured)

    def layers(self, blueprint: Blueprint) -> Tensor:
        """What each layer is worth, [L]."""

        def measured() -> Tensor:
            model = first_model(blueprint, 0).eval()
            return layer_importance(model, self.how, self.losses_of(blueprint))

        return self._once(blueprint, ["layers"], measured)

    def losses_of(self, blueprint: Blueprint) -> Losses:
        """The losses of the rows, in batches of like length; what a teacher's features add to them
        is left out."""
        encoder, loss, teacher = open_encoder(blueprint), self.course.loss, self.rows.teacher
        if isinstance(loss, HintLoss) and teacher is not None:
            teacher, loss = teacher[:, : loss.num_answers], loss.answers
        if isinstance(loss, DistilLoss | NumberLoss | TokenLoss) and loss.weight == 1.0:
            # A teacher agrees with its own answers: by them alone none of its parts is worth more.
            loss = replace(loss, weight=0.5)
        rows = self.rows
        examples = encode(encoder, rows.columns, rows.labels, teacher, rows.weights)

        def losses(model: nn.Module) -> Iterator[Tensor]:
            for ids in length_ordered_batches(examples.lengths, BATCH_ROWS):
                batch = make_batch(encoder, examples.take(ids), torch.device("cpu"))
                yield loss(model(**batch.inputs), batch.labels, batch.teacher)

        return losses

    def _once(
        self, blueprint: Blueprint, parts: Sequence[str], measured: Callable[[], Worth]
    ) -> Worth:
        key = (hashlib.sha256(blueprint.start or b"").hexdigest(), *parts)
        if key not in self.told:
            self.told[key] = measured()
        found: Worth = self.told[key]
        return found
