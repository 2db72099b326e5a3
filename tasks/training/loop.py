"""The one training loop: train -> epochs -> run_epoch -> take_batch -> move.

Everything that happens is a function of (course, step): batches come from the seed and the epoch,
dropout from the seed and the step. A run that stops anywhere goes on exactly as it would have.
"""

import math
import time
from collections.abc import Iterator

import numpy as np
import torch

from tasks.training.answers import logits_of
from tasks.training.averaging import follow, in_place_of, join, put
from tasks.training.batches import RowIds, epoch_batches, in_parts, shard, steps_per_epoch
from tasks.training.course import Course, Material, Setting, TrainState, num_steps
from tasks.training.device import Device
from tasks.training.examples import Batch, make_batch, taken
from tasks.training.gradients import (
    check_norm,
    clip,
    health_of,
    is_looked_at,
    is_overflow,
    norm_of,
    penalise,
)
from tasks.training.memory import gathered_apart, has_fitted, is_out_of_memory
from tasks.training.objectives import OBJECTIVES
from tasks.training.schedule import scheduled_lr
from tasks.training.schedule_free import ScheduleFree, weights_answered_with
from tasks.training.scores import to_choose_by, weighted_loss
from tasks.training.technique import Technique

POINTS_PER_RUN = 60
"""About how many points a learning curve has."""


def train(state: TrainState, course: Course, material: Material, setting: Setting) -> None:
    """Take `state` from wherever it stands to the end of the last epoch."""
    for _ in epochs(state, course, material, setting):
        pass


def epochs(
    state: TrainState, course: Course, material: Material, setting: Setting
) -> Iterator[None]:
    """Take `state` through the epochs that are left, validation included; stop after each."""
    state.replica = setting.group.replica(state.model)
    total_steps = num_steps(course, material)
    # Not by steps: a run may have been killed after an epoch's last step, before its validation.
    while not is_over(state, course):
        run_epoch(state, course, material, setting)
        end_epoch(state, course, material, setting)
        if setting.observer:
            setting.observer.on_epoch(state, total_steps)
        yield


def is_over(state: TrainState, course: Course) -> bool:
    """Whether all epochs are done, or so many were no better that the rest is given up."""
    patience = course.technique.patience or course.epochs
    waited = state.epochs_done - state.best_epoch
    return state.epochs_done >= course.epochs or waited >= patience


def run_epoch(state: TrainState, course: Course, material: Material, setting: Setting) -> None:
    """Take the steps that are left of the epoch in which `state` stands."""
    total_steps, apart = num_steps(course, material), points_apart(course, material)
    for row_ids in remaining_batches(state, course, material):
        started = time.monotonic()
        rate = scheduled_lr(state.step, total_steps, course.lr, course.technique)
        state.lr = rate * state.rate_factor
        take_batch(state, row_ids, course, material, setting)
        state.elapsed_seconds += time.monotonic() - started
        if state.step % apart == 0:
            add_point(state, {}, course, material, setting)
        if setting.observer:
            setting.observer.on_step(state, total_steps)


def points_apart(course: Course, material: Material) -> int:
    """Steps between two points of the learning curve."""
    return max(1, num_steps(course, material) // POINTS_PER_RUN)


def remaining_batches(state: TrainState, course: Course, material: Material) -> list[RowIds]:
    """Batches that are left of the epoch in which `state` stands."""
    done = state.step - state.epochs_done * steps_per_epoch(len(material.train), course.batch_size)
    seed, epoch = course.seed, state.epochs_done
    return epoch_batches(material.train.lengths, course.batch_size, seed, epoch)[done:]


def take_batch(
    state: TrainState, row_ids: RowIds, course: Course, material: Material, setting: Setting
) -> float:
    """Learn from this worker's share of one batch; the mean loss of its rows before the step.

    Means are weighted: a row of weight 2 counts like two, over all workers and parts.

    Raises Diverged when the gradient is not finite, or has vanished.
    """
    group = setting.group
    mine = shard(row_ids, group.rank, group.world_size)
    # DDP takes the mean over the workers: times their number, it is the sum over all rows.
    row_share = group.world_size / material.train.weight_of(row_ids)
    with gathered_apart(state, size_of(row_ids, material) if group.world_size > 1 else 0):
        loss_sum: float | None = None
        while loss_sum is None:
            loss_sum = learn_parts(state, mine, course, material, setting, row_share)
    move(state, course, is_looked_at(state.step, points_apart(course, material)))
    state.window_loss += loss_sum
    weight = material.train.weight_of(mine)
    state.window_rows += weight
    return loss_sum / (weight or 1.0)


def size_of(row_ids: RowIds, material: Material) -> int:
    """Rows of a batch, times the longest of them: what its memory grows with."""
    return len(row_ids) * int(np.max(taken(material.train.lengths, row_ids)))


def learn_parts(
    state: TrainState,
    mine: RowIds,
    course: Course,
    material: Material,
    setting: Setting,
    row_share: float,
) -> float | None:
    """Add the gradient of this worker's rows, part by part; the sum of their losses.

    None when the memory ran out: no gradient is left then, and the next try takes smaller parts.
    Where many workers exchange gradients in the middle of it, the error is raised.
    """
    group, device = setting.group, setting.device
    parts = course.technique.accumulate * state.parts
    is_exchanging = state.replica is not state.model
    seed_step(course.seed, state.step, group.rank)
    *early, last = in_parts(mine, parts)
    loss_sum = 0.0
    trouble: Exception | None = None
    try:
        for part in early:
            with group.quiet(state.replica):
                loss_sum += learn_part(state, part, course, material, device, row_share)
        loss_sum += learn_part(state, last, course, material, device, row_share)
    except (RuntimeError, MemoryError) as error:
        if is_exchanging or not is_out_of_memory(error):
            raise
        trouble = error.with_traceback(None)  # which holds what the step had computed
    if is_exchanging or has_fitted(state, group, trouble, len(mine), parts):
        return loss_sum
    return None


def learn_part(
    state: TrainState,
    row_ids: RowIds,
    course: Course,
    material: Material,
    device: Device,
    row_share: float,
) -> float:
    """Add the gradient of some rows; the sum of their losses, each times its weight.

    `row_share` is what a row of weight 1 counts in the mean over all workers' rows.
    """
    rows = material.train.take(row_ids)
    batch = make_batch(material.encoder, rows, device.torch_device)
    batch = varied(batch, course, state.step, row_ids)
    if not state.model.training:  # which validation sets; setting it walks through every module
        state.replica.train()
    with device.autocast():
        logits_BC = state.replica(**batch.inputs)
    loss_B = course.loss(logits_BC, batch.labels, batch.teacher)
    loss_B = loss_B if batch.weights is None else loss_B * batch.weights
    # From the rows' losses rather than their sum: two nodes less to go back through.
    torch.autograd.backward(state.scaler.scale(loss_B), torch.full_like(loss_B, row_share))
    return float(loss_B.detach().sum())


def move(state: TrainState, course: Course, is_recorded: bool) -> None:
    """One step of the optimizer at `state.lr`, along the gradients that are there."""
    technique, weights = course.technique, state.parameters()
    for group in state.optimizer.param_groups:
        group["lr"] = state.lr
    state.scaler.unscale_(state.optimizer)
    penalise(weights, technique)
    found = norm_of(weights)
    norm, where = float(found), f"step {state.step}, {course.where}"
    if not is_overflow(norm, state.scaler):
        state.tiny_steps = check_norm(norm, state.tiny_steps, where, state.model)
    if is_recorded:
        whole = {"gradient/norm": norm} if math.isfinite(norm) else {}
        state.health = whole | health_of(state.model)
    clip(weights, found, technique)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    state.step += 1
    if technique.averaging == "ema":
        follow(state.averaged, state.trained_weights(), state.step, technique.ema_decay)


def varied(batch: Batch, course: Course, step: int, row_ids: RowIds) -> Batch:
    """The rows as they are learned from; the draws are those of the step and of its first row."""
    if course.augment is None or len(batch) == 0:
        return batch
    return course.augment(batch, np.random.default_rng((course.seed, step, int(row_ids[0]))))


def seed_step(seed: int, step: int, rank: int) -> None:
    """Dropout of one step on one worker, whatever happened before it."""
    own = ((seed + 1) * 1_000_003 + step) * 1024 + rank
    # Not torch.manual_seed: where CUDA is not in use, that formats a traceback for each kind of
    # device and keeps it, a sixth of a step of a small network.
    torch.default_generator.manual_seed(own)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(own)


def end_epoch(state: TrainState, course: Course, material: Material, setting: Setting) -> None:
    """Score the epoch on the validation rows and end it; the best epoch's weights are kept."""
    weights = state.trained_weights()
    if course.technique.averaging == "swa":
        join(state.averaged, weights, state.epochs_done, course.epochs)
    if isinstance(state.optimizer, ScheduleFree):
        state.averaged = weights_answered_with(state.optimizer, state.model, weights)
    with in_place_of(weights, state.averaged):
        objective = OBJECTIVES[course.task]
        examples = material.valid
        found = logits_of(state.model, material.encoder, examples, setting, objective.kept)
        scores = objective.scores(found, examples.labels)
        scores |= weighted_loss(found, examples.labels, examples.weights)
        add_point(state, scores, course, material, setting)
        state.epochs_done += 1
        is_best = keep_if_best(state, scores, course)
    state.fitted_size = 0  # beside averages and best weights, a batch must fit anew
    if not is_best:
        react(state, course.technique)


def keep_if_best(state: TrainState, scores: dict[str, float], course: Course) -> bool:
    """Keep the weights of the best epoch so far; whether this was it."""
    score = to_choose_by(scores, course.choose_by)
    if score <= state.best_score or math.isnan(score):
        return False
    state.best_score, state.best_step, state.best_epoch = score, state.step, state.epochs_done
    state.best_weights = {n: weight.clone() for n, weight in state.trained_weights().items()}
    return True


def react(state: TrainState, technique: Technique) -> None:
    """What a schedule makes of an epoch that was no better: a lower rate, the best weights."""
    if technique.schedule in ("plateau", "backtracking"):
        state.rate_factor *= technique.plateau_factor
    if technique.schedule == "backtracking" and state.best_weights:
        put(state.trained_weights(), state.best_weights)


def add_point(
    state: TrainState,
    scores: dict[str, float],
    course: Course,
    material: Material,
    setting: Setting,
) -> None:
    """Add a point to the learning curve, or `scores` to the point that this step already has."""
    if state.history and state.history[-1]["step"] == state.step:
        state.history[-1] |= scores
        return
    window = torch.tensor([state.window_loss, state.window_rows], dtype=torch.float64)
    loss_sum, num_rows = setting.group.total(window.to(setting.device.torch_device)).tolist()
    point = {
        "step": state.step,
        "epoch": state.step / steps_per_epoch(len(material.train), course.batch_size),
        "time_ms": round(state.elapsed_seconds * 1000),
        "train/loss": loss_sum / max(1.0, num_rows),
        "lr": state.lr,
    }
    state.history.append(point | state.health | scores)
    state.health = {}
    state.window_loss, state.window_rows = 0.0, 0
