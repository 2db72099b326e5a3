"""Accuracy on scikit-learn's digits, 5 folds and 3 seeds, by our own loop: `python -m` this file.

Each fold is a holdout: a tenth of the other rows chooses the epoch. Prints a Markdown table. About
6 minutes on one core.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch.utils.flop_counter import FlopCounterMode

from models.build import build_model
from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.prepare import prepare_rows
from tasks.data.snapshot import Rows as LabelledRows
from tasks.evaluation.hog import fit_hog
from tasks.packaging.predictor import load_encoder
from tasks.training.architectures import Lenet, Resnet, SharedKernelCnn, SmallLenet
from tasks.training.augments import augment_of
from tasks.training.blueprint import Blueprint, first_model
from tasks.training.blueprints import blueprint_of
from tasks.training.config import ComputeConfig
from tasks.training.course import Course, Setting, new_state
from tasks.training.image_architectures import ImageTrainConfig
from tasks.training.job import Rows, TrainingJob, material_of
from tasks.training.loop import train
from tasks.training.losses import LabelLoss
from tasks.training.technique import Technique
from tests.in_process import CPU

FOLDS, SEEDS = 5, (0, 1, 2)

DATASET = DatasetRef(
    name="digits", uri="", sha256="", source_sha256="", kind="image", inputs=("image",),
    target="digit", classes=tuple("0123456789"), rows={},
)  # fmt: skip


def digits() -> Rows:
    config = {"source": "sklearn://digits", "kind": "image", "target": "digit"}
    prepared = prepare_rows(DataConfig.model_validate(config | {"image": {"size": 8}}), Path())
    labels = np.array([int(label) for label in prepared.rows.labels])
    return Rows(prepared.inputs, labels)


def trained(config: ImageTrainConfig, train_rows: Rows, valid: Rows) -> tuple[Blueprint, dict]:
    blueprint = blueprint_of(config, DATASET, train_rows)
    course = Course(
        epochs=config.epochs, batch_size=config.batch_size, lr=config.usual_lr,
        seed=config.seed, loss=LabelLoss(smoothing=config.label_smoothing),
        technique=Technique(**{name: getattr(config, name) for name in Technique.model_fields}),
        choose_by=config.usual_choice, augment=augment_of(config, DATASET),
    )  # fmt: skip
    job = TrainingJob(
        blueprint=blueprint, course=course, compute=ComputeConfig(), classes=DATASET.classes,
        train=train_rows, valid=valid,
    )  # fmt: skip
    state = new_state(first_model(blueprint, config.seed), course, CPU)
    train(state, course, material_of(job), Setting(CPU))
    return blueprint, state.model.state_dict() | state.best_weights


@torch.no_grad()
def accuracy(family: str, shape: dict, encoder: dict, weights: dict, rows: Rows) -> float:
    model = build_model(family, shape).eval()
    model.load_state_dict(weights)
    opened = load_encoder(encoder, Path())
    pixels = torch.from_numpy(opened.batch(opened.rows(rows.columns))["pixels"])
    return float((model(pixels=pixels).argmax(1).numpy() == rows.labels).mean())


def cost(blueprint: Blueprint) -> tuple[int, int]:
    """Multiply-adds of one picture, and parameters."""
    model = first_model(blueprint, 0).eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 8, 8))
    return counter.get_total_flops() // 2, sum(p.numel() for p in model.parameters())


def line(name: str, scores: list[float], costs: tuple[int, int] | None, seconds: float) -> None:
    low, high = min(scores), max(scores)
    size = " | ".join(f"{value:,}" for value in costs) if costs else " | "
    figures = f"{np.mean(scores):.4f} | {low:.4f} to {high:.4f}"
    print(f"| {name} | {figures} | {size} | {seconds / len(scores):.1f} |", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    rows = digits()
    folds = [
        (np.sort(rest), test)
        for seed in SEEDS
        for rest, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(
            rows.labels, rows.labels
        )
    ]
    print("| model | accuracy | of a fold | multiply-adds | parameters | seconds a fold |")
    print("|---|---|---|---|---|---|")
    started, scores = time.monotonic(), []
    for rest, test in folds:
        part = rows.take(rest)
        fitted = fit_hog(LabelledRows(part.columns, part.labels, rest), DATASET)
        about = (fitted.family, fitted.config, fitted.encoder, dict(fitted.weights))
        scores.append(accuracy(*about, rows.take(test)))
    line("hog + logistic regression", scores, None, time.monotonic() - started)
    for config in (Lenet(), SmallLenet(), SharedKernelCnn(), Resnet()):
        if len(sys.argv) > 1 and config.model not in sys.argv[1:]:
            continue
        started, scores = time.monotonic(), []
        for number, (rest, test) in enumerate(folds):
            learn, choose = train_test_split(
                rest, test_size=0.1, random_state=number, stratify=rows.labels[rest]
            )
            seeded = config.model_copy(update={"seed": SEEDS[number // FOLDS]})
            plan, weights = trained(seeded, rows.take(learn), rows.take(choose))
            about = (plan.family, plan.config, plan.encoder, weights)
            scores.append(accuracy(*about, rows.take(test)))
        line(config.model, scores, cost(plan), time.monotonic() - started)


if __name__ == "__main__":
    main()
