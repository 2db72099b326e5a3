"""Samples per second of our loop against a bare torch loop, family by family.

    python -m tests.benchmarks.loop_speed [FAMILY ...] [--rounds 4] [--seconds 1.2]

Both train the same network from the same weights on the same encoded rows in the same batches, with
the same optimizer, rates, clipping and precision, and both score the same validation rows after
each epoch. The bare loop does nothing else: no learning curve, no health record, no check, no
checkpoint, no best weights. Blocks in the order A B B A, one process, one thread. About 8 minutes.

Augmentation and averaged weights are off: they would be the same code in both.
"""

import argparse
import datetime
import gc
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from pyarrow import fs
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from tasks.packaging.predictor import Encoder, ragged_names
from tasks.training.batches import epoch_batches, steps_per_epoch
from tasks.training.blueprint import first_model
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig
from tasks.training.course import Course, Setting, new_state
from tasks.training.device import choose_device
from tasks.training.examples import LENGTH_STEP, Examples
from tasks.training.keeper import Keeper
from tasks.training.loop import train
from tasks.training.optimizers import make_optimizer
from tasks.training.schedule import one_cycle_lr
from tests.benchmarks.loop_cases import CASES, Case, case_of


def ours(case: Case, epochs: int) -> nn.Module:
    """As `work` runs it: with the keeper, which reports and saves."""
    course = replace(case.course, epochs=epochs)
    state = new_state(
        first_model(case.blueprint, course.seed), course, case.device, case.blueprint.frozen
    )
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(fs.LocalFileSystem(), folder)
        keeper = Keeper(store, lambda *_: None, save_seconds=40.0)
        train(state, course, case.material, Setting(case.device, observer=keeper))
        keeper.finish()
    return state.model


Pair = tuple[dict[str, Tensor], Tensor]
Collate = Callable[[np.ndarray], Pair]
Loop = Callable[[Case, int], nn.Module]


def collated(encoder: Encoder, examples: Examples) -> Collate:
    """What a batch is made by: rows of one size are tensors already, others are padded."""
    labels = torch.from_numpy(examples.labels)
    if isinstance(examples.rows, np.ndarray):
        whole = {n: torch.from_numpy(a) for n, a in encoder.batch(examples.rows).items()}

        def indexed(ids: np.ndarray) -> Pair:
            chosen = torch.from_numpy(ids)
            return {name: tensor[chosen] for name, tensor in whole.items()}, labels[chosen]

        return indexed
    return lambda ids: padded(encoder, [examples.rows[i] for i in ids], labels, ids)


def padded(encoder: Encoder, rows: list[Any], labels: Tensor, ids: np.ndarray) -> Pair:
    """Ragged arrays to a multiple of LENGTH_STEP; of a language model the tokens after each."""
    arrays = encoder.batch(rows)
    for name in ragged_names(encoder):
        array = arrays[name]
        extra = -array.shape[1] % LENGTH_STEP
        arrays[name] = np.pad(array, ((0, 0), (0, extra), *[(0, 0)] * (array.ndim - 2)))
    inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
    if hasattr(encoder, "targets"):
        return inputs, torch.from_numpy(encoder.targets(arrays))
    return inputs, labels[torch.from_numpy(ids)]


def loss_of(logits: Tensor, labels: Tensor, course: Course) -> Tensor:
    """As one writes it: squared error, or cross entropy of rows or of tokens."""
    if course.task == "regression":
        return functional.mse_loss(logits[:, 0].float(), labels)
    if course.task == "generation":
        logits, labels = logits.flatten(0, 1), labels.flatten()
    return functional.cross_entropy(logits.float(), labels, label_smoothing=course.loss.smoothing)


def bare(case: Case, epochs: int) -> nn.Module:
    """A loop as one writes it."""
    course, technique, device = case.course, case.course.technique, case.device
    model = first_model(case.blueprint, course.seed)
    for name, weight in model.named_parameters():
        weight.requires_grad_(not name.startswith(case.blueprint.frozen or ("-",)))
    optimizer = make_optimizer(technique.optimizer, model, course.lr, technique.decay)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    batch_of = collated(case.material.encoder, case.material.train)
    train_set, valid = case.material.train, case.material.valid
    total, step, losses = epochs * steps_per_epoch(len(train_set), course.batch_size), 0, 0.0
    for epoch in range(epochs):
        model.train()
        for ids in epoch_batches(train_set.lengths, course.batch_size, course.seed, epoch):
            for group in optimizer.param_groups:
                group["lr"] = one_cycle_lr(step, total, course.lr, technique.warm_up)
            inputs, labels = batch_of(ids)
            with device.autocast():
                logits = model(**inputs)
            loss = loss_of(logits, labels, course)
            loss.backward()
            clip_grad_norm_(weights, technique.clip_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses += loss.item()
            step += 1
        validate(model, case, collated(case.material.encoder, valid))
    return model


@torch.no_grad()
def validate(model: nn.Module, case: Case, batch_of: Collate) -> float:
    model.eval()
    order, losses = np.argsort(case.material.valid.lengths, kind="stable"), 0.0
    for start in range(0, len(order), 64):
        inputs, labels = batch_of(order[start : start + 64])
        with case.device.autocast():
            logits = model(**inputs)
        losses += loss_of(logits, labels, case.course).item() * len(inputs)
    return losses / len(order)


def seconds_of(
    loop: Callable[[Case, int], nn.Module], case: Case, epochs: int
) -> tuple[float, float]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    loop(case, epochs)
    return time.perf_counter() - wall, time.process_time() - cpu


def measured(case: Case, rounds: int, seconds: float) -> dict[str, Any]:
    """Ratios of our speed to the bare loop's, a round of A B B A each."""
    for loop in (bare, ours):
        loop(case, 1)
    epochs = max(1, round(seconds / seconds_of(bare, case, 1)[0]))
    wall, cpu, ours_cpu, bare_cpu = [], [], [], []
    for _ in range(rounds):
        found = [seconds_of(loop, case, epochs) for loop in (ours, bare, bare, ours)]
        wall.append((found[1][0] + found[2][0]) / (found[0][0] + found[3][0]))
        cpu.append((found[1][1] + found[2][1]) / (found[0][1] + found[3][1]))
        ours_cpu += [found[0][1], found[3][1]]
        bare_cpu += [found[1][1], found[2][1]]
    rows = epochs * len(case.material.train)
    fastest = min(bare_cpu) / min(ours_cpu)
    return {"rows_a_second": rows / min(ours_cpu), "wall": wall, "cpu": cpu, "fastest": fastest}


def line(name: str, found: dict[str, Any]) -> str:
    wall, cpu = statistics.median(found["wall"]), statistics.median(found["cpu"])
    spread = f"{min(found['cpu']):.3f} to {max(found['cpu']):.3f}"
    head = f"| {name} | {found['rows_a_second']:,.0f} | {found['fastest']:.3f} | {cpu:.3f} "
    return f"{head}| {spread} | {wall:.3f} |"


HEAD = """| family | our rows a CPU second | fastest blocks | median | rounds | by the clock |
|---|---|---|---|---|---|"""
"""Ratios of our speed to the bare loop's, by CPU time, but for the last. What else a machine runs
only ever makes a block slower: the fastest of each are the cleanest."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*", default=list(CASES))
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1.2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{datetime.date.today()}, torch {torch.__version__}, Python {platform.python_version()}")
    print(f"load {os.getloadavg()[0]:.1f}, {choose_device(ComputeConfig())}\n\n{HEAD}", flush=True)
    for name in arguments.families or CASES:
        print(line(name, measured(case_of(name), arguments.rounds, arguments.seconds)), flush=True)


if __name__ == "__main__":
    main()
