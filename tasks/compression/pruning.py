"""A trained model made smaller in rounds: the parts worth least go, and it learns again."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tasks.compression.config import PruneConfig
from tasks.compression.factorizing import WORDS, with_narrow_matrices, with_narrow_words
from tasks.compression.pruning_families import unit_groups
from tasks.compression.pruning_importance import (
    Losses,
    activations,
    gate_gradients,
    magnitudes,
)
from tasks.compression.pruning_layers import layer_importance, without_layers
from tasks.compression.pruning_units import Group, Kept, without_units
from tasks.compression.sparsity import with_zeros
from tasks.training.batches import length_ordered_batches
from tasks.training.blueprint import Blueprint, first_model, open_encoder
from tasks.training.course import Course
from tasks.training.device import use_allotted_threads
from tasks.training.examples import encode, make_batch, stratified_rows
from tasks.training.hints import HintLoss
from tasks.training.job import Rows, TrainingJob
from tasks.training.text_models import TOKENIZER
from tasks.training.vocabulary import trimmed_vocabulary

BATCH_ROWS = 32


def pruned(job: TrainingJob, prune: PruneConfig, number: int, whole: Blueprint) -> Blueprint:
    """The model that `job` would train, as round `number` of `prune.rounds` makes it smaller.

    `whole` is the model before the first round: shares are of what it has.
    Raises ValueError for a rank or a vocabulary that makes nothing smaller.
    """
    use_allotted_threads()
    blueprint = job.blueprint
    if number == 1:
        blueprint = _with_fewer_words(blueprint, prune, job.train)
    share = ramp(number / prune.rounds)
    chosen = job.train.take(stratified_rows(job.train.labels, prune.rows, job.course.seed))
    losses = losses_of(blueprint, chosen, job.course)
    blueprint = _with_fewer_layers(blueprint, prune, share, whole, losses)
    blueprint = _with_fewer_units(blueprint, prune, share, whole, losses)
    if prune.linear_rank is not None and number == prune.rounds:
        smaller = with_narrow_matrices(blueprint.config, blueprint.weights, prune.linear_rank)
        blueprint = blueprint.started(*smaller)
    return with_zeros(blueprint, prune, share) if prune.is_sparse else blueprint


def ramp(progress: float) -> float:
    """Share of the pruning that is done at this share of the rounds (Zhu and Gupta 2017,
    arXiv:1710.01878, equation 1)."""
    return 1.0 - (1.0 - progress) ** 3


def kept_of(count: int, share: float) -> int:
    """Units that stay of so many, at least one."""
    return max(1, round(count * (1.0 - share)))


def best(worth: Tensor, number: int) -> Tensor:
    """The units worth most, ascending; of two worth the same the first."""
    order = torch.argsort(worth.double(), descending=True, stable=True)
    return order[:number].sort().values


def losses_of(blueprint: Blueprint, rows: Rows, course: Course) -> Losses:
    """The losses of these rows, in batches of like length; what a teacher's features add to them
    is left out."""
    encoder, loss, teacher = open_encoder(blueprint), course.loss, rows.teacher
    if isinstance(loss, HintLoss) and teacher is not None:
        teacher, loss = teacher[:, : loss.num_answers], loss.answers
    examples = encode(encoder, rows.columns, rows.labels, teacher, rows.weights)

    def losses(model: nn.Module) -> Iterator[Tensor]:
        for ids in length_ordered_batches(examples.lengths, BATCH_ROWS):
            batch = make_batch(encoder, examples.take(ids), torch.device("cpu"))
            yield loss(model(**batch.inputs), batch.labels, batch.teacher)

    return losses


def importance(
    blueprint: Blueprint, groups: list[Group], prune: PruneConfig, losses: Losses
) -> dict[str, Tensor]:
    """What each unit of these groups is worth."""
    if prune.importance == "magnitude":
        return magnitudes(blueprint.weights, groups)
    model = first_model(blueprint, 0).eval()
    measure = gate_gradients if prune.importance == "taylor" else activations
    return measure(model, groups, losses)


def _with_fewer_units(
    blueprint: Blueprint, prune: PruneConfig, share: float, whole: Blueprint, losses: Losses
) -> Blueprint:
    groups = unit_groups(blueprint.family, blueprint.config)
    groups = [group for group in groups if group.kind in prune.shares]
    if not groups:
        return blueprint
    counts = {group.field: group.count for group in unit_groups(whole.family, whole.config)}
    worth = importance(blueprint, groups, prune, losses)
    kept: Kept = {
        group.name: best(
            worth[group.name], kept_of(counts[group.field], share * prune.shares[group.kind])
        )
        for group in groups
    }
    return blueprint.started(*without_units(blueprint.config, blueprint.weights, groups, kept))


def _with_fewer_layers(
    blueprint: Blueprint, prune: PruneConfig, share: float, whole: Blueprint, losses: Losses
) -> Blueprint:
    if not prune.layers:
        return blueprint
    worth = layer_importance(first_model(blueprint, 0).eval(), prune.importance, losses)
    kept = best(worth, kept_of(whole.config["layers"], share * prune.layers)).tolist()
    return blueprint.started(*without_layers(blueprint.config, blueprint.weights, kept))


def _with_fewer_words(blueprint: Blueprint, prune: PruneConfig, train: Rows) -> Blueprint:
    """The vocabulary cut to what the rows use, and each word of it with fewer numbers."""
    if prune.min_count is not None:
        rows = open_encoder(blueprint).rows(train.columns)
        tokenizer_json = blueprint.files[TOKENIZER].decode()
        vocabulary = trimmed_vocabulary(tokenizer_json, rows, prune.min_count)
        kept = torch.tensor(vocabulary.kept_ids)
        weights = blueprint.weights
        words = weights[WORDS][kept]
        config = {**blueprint.config, "vocab_size": len(kept)}
        files = {**blueprint.files, TOKENIZER: vocabulary.tokenizer_json.encode()}
        blueprint = replace(blueprint.started(config, {**weights, WORDS: words}), files=files)
    if prune.embedding_rank is not None:
        counts = _counts(open_encoder(blueprint).rows(train.columns), blueprint.config)
        smaller = with_narrow_words(
            blueprint.config, blueprint.weights, prune.embedding_rank, counts
        )
        blueprint = blueprint.started(*smaller)
    return blueprint


def _counts(rows: Iterable[Any], config: Mapping[str, Any]) -> Tensor:
    """How often each word stands in the rows."""
    ids = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    return torch.from_numpy(np.bincount(ids, minlength=config["vocab_size"]))
