"""The one training loop: train -> run_epoch -> train_step.

Everything that happens is a function of (course, step): batches come from the seed and the epoch,
dropout from the seed and the step. A run that stops anywhere goes on exactly as it would have.
"""

import time

import torch
from torch import Tensor, nn

from tasks.training.answers import logits_of
from tasks.training.batches import RowIds, epoch_batches, shard, steps_per_epoch
from tasks.training.course import Course, Material, Setting, TrainState, num_steps
from tasks.training.device import Device
from tasks.training.examples import Batch, make_batch
from tasks.training.losses import Loss
from tasks.training.schedule import one_cycle_lr
from tasks.training.scores import validation_scores

GRADIENT_NORM = 1.0
POINTS_PER_RUN = 60
"""About how many points a learning curve has."""


def train(state: TrainState, course: Course, material: Material, setting: Setting) -> None:
    """Take `state` from wherever it stands to the end of the last epoch."""
    state.replica = setting.group.replica(state.model)
    total_steps = num_steps(course, material)
    # Not by steps: a run may have been killed after an epoch's last step, before its validation.
    while state.epochs_done < course.epochs:
        run_epoch(state, course, material, setting)
        validate(state, course, material, setting)
        if setting.observer:
            setting.observer.on_epoch(state, total_steps)


def run_epoch(state: TrainState, course: Course, material: Material, setting: Setting) -> None:
    """Take the steps that are left of the epoch in which `state` stands."""
    total_steps = num_steps(course, material)
    points_apart = max(1, total_steps // POINTS_PER_RUN)
    for row_ids in remaining_batches(state, course, material):
        started = time.monotonic()
        state.lr = one_cycle_lr(state.step, total_steps, course.lr)
        take_batch(state, row_ids, course, material, setting)
        state.elapsed_seconds += time.monotonic() - started
        if state.step % points_apart == 0:
            add_point(state, {}, course, material, setting)
        if setting.observer:
            setting.observer.on_step(state, total_steps)


def remaining_batches(state: TrainState, course: Course, material: Material) -> list[RowIds]:
    """Batches that are left of the epoch in which `state` stands."""
    done = state.step - state.epochs_done * steps_per_epoch(len(material.train), course.batch_size)
    seed, epoch = course.seed, state.epochs_done
    return epoch_batches(material.train.lengths, course.batch_size, seed, epoch)[done:]


def take_batch(
    state: TrainState, row_ids: RowIds, course: Course, material: Material, setting: Setting
) -> float:
    """Learn from this worker's share of one batch; the mean loss of its rows before the step."""
    group = setting.group
    rows = material.train.take(shard(row_ids, group.rank, group.world_size))
    batch = make_batch(material.encoder, rows, setting.device.torch_device)
    seed_step(course.seed, state.step, group.rank)
    row_share = group.world_size / len(row_ids)
    loss_sum = float(train_step(state, batch, course.loss, setting.device, row_share))
    state.step += 1
    state.window_loss += loss_sum
    state.window_rows += len(batch)
    return loss_sum / max(1, len(batch))


def train_step(
    state: TrainState, batch: Batch, loss: Loss, device: Device, row_share: float
) -> Tensor:
    """Sum of the rows' losses before the step; the weights move by one step at `state.lr`.

    `row_share` is what one row counts in the mean over all workers' rows.
    """
    state.replica.train()
    with device.autocast():
        logits_BC = state.replica(**batch.inputs)
    loss_sum = loss(logits_BC, batch.labels, batch.teacher).sum()
    torch.autograd.backward(loss_sum * row_share)
    for group in state.optimizer.param_groups:
        group["lr"] = state.lr
    trained = [weight for group in state.optimizer.param_groups for weight in group["params"]]
    nn.utils.clip_grad_norm_(trained, GRADIENT_NORM)
    state.optimizer.step()
    state.optimizer.zero_grad(set_to_none=True)
    return loss_sum.detach()


def seed_step(seed: int, step: int, rank: int) -> None:
    """Dropout of one step on one worker, whatever happened before it."""
    torch.manual_seed(((seed + 1) * 1_000_003 + step) * 1024 + rank)


def validate(state: TrainState, course: Course, material: Material, setting: Setting) -> None:
    """Score the epoch on the validation rows and end it; the best epoch's weights are kept."""
    logits = logits_of(state.model, material.encoder, material.valid, setting)
    scores = validation_scores(logits, material.valid.labels)
    add_point(state, scores, course, material, setting)
    state.epochs_done += 1
    score = scores[f"valid/{course.choose_by}"]
    if score > state.best_score:
        state.best_score, state.best_step = score, state.step
        state.best_weights = {n: weight.clone() for n, weight in state.trained_weights().items()}


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
    state.history.append(point | scores)
    state.window_loss, state.window_rows = 0.0, 0
