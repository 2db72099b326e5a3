"""Trials of one small network: together, one by one in our loop, one by one in a bare torch loop.

    python -m tests.benchmarks.vectorised_trials [--rounds 5] [--epochs 6]

Digits as a table of 64 columns, 1,078 training rows in batches of 32, AdamW, one-cycle, norms
clipped, scored on the validation rows after each epoch. Trials differ in rate, decay and label
smoothing, and in one row in seed and dropout too. The bare loop is given encoded tensors and does
nothing else: no learning curve, no checks, no best weights; its AdamW is torch's fused one. In
every round all ways take their turn, in an order that rotates; what is compared is the median of
the rounds' ratios, by the clock and by CPU time. `halved` drops the worse half of the members after
epochs 1, 2 and 3; one by one, each trial then trains as many epochs as it did together.
"""

import argparse
import datetime
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from tasks.data.config import DataConfig
from tasks.sweep.apart import why_apart
from tasks.sweep.probe import timed
from tasks.sweep.vectorised import train_together
from tasks.training.architectures import Mlp
from tasks.training.batches import epoch_batches, steps_per_epoch
from tasks.training.blueprint import first_model
from tasks.training.course import Material, Setting, new_state
from tasks.training.examples import make_batch
from tasks.training.job import TrainingJob, material_of
from tasks.training.loop import train
from tasks.training.losses import LabelLoss
from tasks.training.recipes import student_job
from tasks.training.schedule import one_cycle_lr
from tests.in_process import CPU, site_of, snapshot


@dataclass(frozen=True)
class Case:
    """So many trials of so wide a network."""

    trials: int
    width: int
    differs: bool = False
    """In seed and dropout too."""
    halved: bool = False

    def __str__(self) -> str:
        extra = ", own seeds and dropout" * self.differs + ", halved thrice" * self.halved
        return f"{self.trials} of width {self.width}{extra}"


CASES = (
    Case(64, 32),
    Case(64, 32, halved=True),
    Case(64, 32, differs=True),
    Case(16, 64),
    Case(16, 256),
    Case(4, 32),
)


@contextmanager
def digits() -> Iterator[TrainingJob]:
    """The table as a project prepares it."""
    with tempfile.TemporaryDirectory() as work:
        folder, data = Path(work), load_digits()
        table = pd.DataFrame(data.data, columns=[f"p{index}" for index in range(64)])
        table.assign(digit=data.target.astype(str)).to_csv(folder / "digits.csv", index=False)
        config = DataConfig(source="digits.csv", kind="table", target="digit")
        dataset = snapshot(config, folder, folder / "snapshot", "digits")
        model = Mlp(name="mlp", batch_size=32)
        yield student_job(model, None, site_of(folder / "snapshot", dataset))


def jobs_of(job: TrainingJob, case: Case, epochs: int) -> list[TrainingJob]:
    """Random trials, the same at every call."""
    random, found = np.random.default_rng(0), []
    for index in range(case.trials):
        technique = job.course.technique.model_copy(
            update={"weight_decay": float(random.uniform(0, 0.1))}
        )
        course = replace(
            job.course,
            epochs=epochs,
            lr=float(10 ** random.uniform(-3.5, -1.5)),
            loss=LabelLoss(smoothing=float(random.uniform(0, 0.2))),
            technique=technique,
            seed=job.course.seed + index * case.differs,
        )
        dropout = float(random.uniform(0.05, 0.4)) * case.differs
        config = {**job.blueprint.config, "hidden": (case.width,), "dropout": dropout}
        blueprint = replace(job.blueprint, config=config)
        found.append(replace(job, blueprint=blueprint, course=course))
    return found


def better_half(epoch: int, scores: Mapping[int, float]) -> Collection[int]:
    if epoch > 3:
        return list(scores)
    return sorted(scores, key=lambda index: -scores[index])[: max(1, len(scores) // 2)]


def together(jobs: Sequence[TrainingJob], case: Case) -> list[int]:
    """Epochs that each trial trained."""
    listen = better_half if case.halved else lambda _, scores: list(scores)
    return [len(member.scores) for member in train_together(jobs, listen)]


class Stopped(Exception):
    """A trial that trained as long as it was to."""


class StopAfter:
    """Ends a training after so many epochs."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_step(self, state: object, total_steps: int) -> None:
        """Nothing."""

    def on_epoch(self, state: object, total_steps: int) -> None:
        """One less."""
        del state, total_steps
        self.epochs -= 1
        if self.epochs == 0:
            raise Stopped


def ours(jobs: Sequence[TrainingJob], epochs: Sequence[int]) -> None:
    """Our loop, a trial after the other; rows are encoded once."""
    material = material_of(jobs[0])
    for job, count in zip(jobs, epochs, strict=True):
        state = new_state(first_model(job.blueprint, job.course.seed), job.course, CPU)
        try:
            train(state, job.course, material, Setting(CPU, observer=StopAfter(count)))
        except Stopped:
            continue


def bare(jobs: Sequence[TrainingJob], epochs: Sequence[int]) -> None:
    """A loop as one writes it."""
    material = material_of(jobs[0])
    for job, count in zip(jobs, epochs, strict=True):
        bare_trial(job, material, count)


def bare_trial(job: TrainingJob, material: Material, epochs: int) -> None:
    course, technique = job.course, job.course.technique
    rows, valid = (
        make_batch(material.encoder, each, torch.device("cpu"))
        for each in (material.train, material.valid)
    )
    numbers, labels = rows.inputs["numbers"], rows.labels
    model = first_model(job.blueprint, course.seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=course.lr, weight_decay=technique.decay, fused=True
    )
    total, step = course.epochs * steps_per_epoch(len(rows), course.batch_size), 0
    for epoch in range(epochs):
        model.train()
        for batch in epoch_batches(material.train.lengths, course.batch_size, course.seed, epoch):
            ids = torch.from_numpy(batch)
            optimizer.param_groups[0]["lr"] = one_cycle_lr(step, total, course.lr)
            logits = model(numbers[ids])
            loss = functional.cross_entropy(
                logits, labels[ids], label_smoothing=course.loss.smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
        model.eval()
        with torch.no_grad():
            functional.cross_entropy(model(**valid.inputs), valid.labels).item()


Seconds = tuple[float, float]


def seconds_of(work: Callable[[], object]) -> Seconds:
    """By the clock, and of the CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def measured(jobs: list[TrainingJob], case: Case, rounds: int) -> str:
    """One row of the table."""
    assert why_apart(jobs) is None
    epochs = together(jobs, case)
    ways: dict[str, Callable[[], object]] = {
        "together": lambda: together(jobs, case),
        "ours": lambda: ours(jobs, epochs),
        "bare": lambda: bare(jobs, epochs),
    }
    names, found = list(ways), {name: [] for name in ways}
    ours(jobs[:1], epochs[:1])
    bare(jobs[:1], epochs[:1])
    for index in range(rounds):
        for place in range(len(names)):
            name = names[(place + index) % len(names)]
            found[name].append(seconds_of(ways[name]))
    cells = [f"{statistics.median(wall for wall, _ in found['together']) * 1000:,.0f}"]
    for clock in (0, 1):
        for name in ("ours", "bare"):
            pairs = zip(found[name], found["together"], strict=True)
            ratios = [other[clock] / own[clock] for other, own in pairs]
            middle = statistics.median(ratios)
            cells.append(f"{middle:.1f} ({min(ratios):.1f} to {max(ratios):.1f})")
    return f"| {case} | {' | '.join(cells)} | {timed(jobs).ratio:.1f} |"


HEAD = """| trials | together, ms | ours | bare | ours, CPU | bare, CPU | probe |
|---|---|---|---|---|---|---|"""
"""Times of the others over that of together, but for the second column."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{datetime.date.today()}, torch {torch.__version__}, Python {platform.python_version()}")
    print(f"load {os.getloadavg()[0]:.1f}, {arguments.epochs} epochs\n\n{HEAD}", flush=True)
    with digits() as job:
        for case in CASES:
            jobs = jobs_of(job, case, arguments.epochs)
            print(measured(jobs, case, arguments.rounds), flush=True)
    print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
