"""A trained model made smaller in rounds: the parts worth least go, and it learns again."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tasks.compression.config import PruneConfig
from tasks.compression.factorizing import WORDS, with_narrow_matrices, with_narrow_words
from tasks.compression.pruning_families import unit_groups
from tasks.compression.pruning_judge import Judge, Told
from tasks.compression.pruning_layers import without_layers
from tasks.compression.pruning_units import Kept, without_units
from tasks.compression.sparsity import with_zeros
from tasks.training.blueprint import Blueprint, open_encoder
from tasks.training.device import use_allotted_threads
from tasks.training.examples import stratified_rows
from tasks.training.job import Rows, TrainingJob
from tasks.training.text_models import TOKENIZER
from tasks.training.vocabulary import trimmed_vocabulary


def pruned(
    job: TrainingJob, prune: PruneConfig, number: int, whole: Blueprint, told: Told | None = None
) -> Blueprint:
    """The model that `job` would train, as round `number` of `prune.rounds` makes it smaller.

    `whole` is the model before the first round: shares are of what it has. `told` holds what was
    measured for prunings that ask the same rows in the same way, and is added to.
    Raises ValueError for a rank or a vocabulary that makes nothing smaller.
    """
    use_allotted_threads()
    blueprint = job.blueprint
    if number == 1:
        blueprint = _with_fewer_words(blueprint, prune, job.train)
    share = ramp(number / prune.rounds)
    chosen = job.train.take(stratified_rows(job.train.labels, prune.rows, job.course.seed))
    told = {} if told is None else told
    judge = Judge(rows=chosen, course=job.course, how=prune.importance, told=told)
    blueprint = _with_fewer_layers(blueprint, prune, share, whole, judge)
    blueprint = _with_fewer_units(blueprint, prune, share, whole, judge)
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


def _with_fewer_units(
    blueprint: Blueprint, prune: PruneConfig, share: float, whole: Blueprint, judge: Judge
) -> Blueprint:
    groups = unit_groups(blueprint.family, blueprint.config)
    groups = [group for group in groups if group.kind in prune.shares]
    if not groups:
        return blueprint
    counts = {group.field: group.count for group in unit_groups(whole.family, whole.config)}
    worth = judge.units(blueprint, groups)
    kept: Kept = {
        group.name: best(
            worth[group.name], kept_of(counts[group.field], share * prune.shares[group.kind])
        )
        for group in groups
    }
    return blueprint.started(*without_units(blueprint.config, blueprint.weights, groups, kept))


def _with_fewer_layers(
    blueprint: Blueprint, prune: PruneConfig, share: float, whole: Blueprint, judge: Judge
) -> Blueprint:
    if not prune.layers:
        return blueprint
    number = kept_of(whole.config["layers"], share * prune.layers)
    kept = best(judge.layers(blueprint), number).tolist()
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
