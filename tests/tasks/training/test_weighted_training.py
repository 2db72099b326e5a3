"""Weights in the loop and in the baselines: a row of weight 2 is the row twice."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import recall_score

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows as SplitRows
from tasks.evaluation.boosting import fit_boosting
from tasks.evaluation.hog import fit_linear
from tasks.evaluation.statistics_logreg import linear_head
from tasks.training.answers import logits_of
from tasks.training.architectures import Mlp
from tasks.training.batches import RowIds
from tasks.training.blueprint import first_model
from tasks.training.blueprints import blueprint_of
from tasks.training.config import ComputeConfig
from tasks.training.course import Course, Material, Setting, TrainState, new_state
from tasks.training.job import Rows, TrainingJob, material_of
from tasks.training.loop import take_batch, train
from tasks.training.losses import LabelLoss
from tasks.training.scores import class_scores, weighted_loss
from tasks.training.technique import Technique

BINARY = DatasetRef(
    name="rare", uri="", sha256="", source_sha256="", kind="table", inputs=("x", "z"),
    types={"x": "number", "z": "number"}, target="y", classes=("no", "yes"), rows={},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def one_step(toy: ModuleType, material: Material, ids: RowIds, accumulate: int = 1) -> TrainState:
    technique = Technique(optimizer="sgd", accumulate=accumulate)
    course = replace(toy.toy_course(), technique=technique)
    state = toy.toy_state(course, dropout=0.0)
    state.lr = 0.5
    take_batch(state, ids, course, material, Setting(toy.CPU))
    return state


@pytest.mark.parametrize("accumulate", [1, 3], ids="in-{}-parts".format)
def test_weight_2_is_the_row_twice(toy: ModuleType, accumulate: int) -> None:
    plain = toy.toy_material()
    weights = np.ones(len(plain.train), dtype=np.float32)
    weights[[1, 4]] = 2
    weighted = replace(plain, train=replace(plain.train, weights=weights))
    once, twice = np.arange(12), np.array([*range(12), 1, 4])
    first = one_step(toy, weighted, once, accumulate)
    second = one_step(toy, plain, twice)
    for name, weight in first.trained_weights().items():
        assert torch.allclose(weight, second.trained_weights()[name], atol=1e-6), name
    assert first.window_loss == pytest.approx(second.window_loss, rel=1e-5)
    assert first.window_rows == second.window_rows == 14


def test_equal_weights_are_no_weights(toy: ModuleType) -> None:
    plain = toy.toy_material()
    threes = np.full(len(plain.train), 3, dtype=np.float32)
    weighted = replace(plain, train=replace(plain.train, weights=threes))
    ids = np.arange(16)
    first, second = (one_step(toy, each, ids) for each in (weighted, plain))
    for name, weight in first.trained_weights().items():
        assert torch.allclose(weight, second.trained_weights()[name], atol=1e-6), name


def test_one_worker_and_two_weigh_alike(toy: ModuleType, tmp_path: Path) -> None:
    script = Path(toy.__file__)
    environment = os.environ | {
        "GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": str(script.parents[3]), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, str(script)]
    workers = [
        subprocess.Popen([*command, str(rank), str(tmp_path), "weighted"], env=environment)
        for rank in (0, 1)
    ]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    two = load_file(tmp_path / "result.safetensors")
    course = toy.toy_course()
    one = toy.toy_state(course, dropout=0.0)
    train(one, course, toy.weighted(toy.toy_material()), Setting(toy.CPU))
    losses = torch.tensor([point["train/loss"] for point in one.history])
    assert torch.allclose(losses, two.pop("losses"), atol=1e-5)
    for name, weight in one.trained_weights().items():
        assert torch.allclose(weight, two[name], atol=1e-4), name


def rare_rows(count: int, seed: int) -> Rows:
    """Two numbers; one row in twenty is `yes`, and looks only a little different."""
    random = np.random.default_rng(seed)
    labels = (random.random(count) < 0.05).astype(np.int64)
    x, z = random.normal(labels * 1.5, 1.0), random.normal(labels * 1.0, 1.0)
    return Rows({"x": x.tolist(), "z": z.tolist()}, labels)


def found_of(rows: Rows, valid: Rows) -> np.ndarray:
    config = Mlp(hidden=(16,))
    job = TrainingJob(
        blueprint=blueprint_of(config, BINARY, rows),
        course=Course(epochs=4, batch_size=64, lr=5e-3, seed=7, loss=LabelLoss(), choose_by="loss"),
        compute=ComputeConfig(workers=1, precision="float32"),
        classes=BINARY.classes, train=rows, valid=valid,
    )  # fmt: skip
    from tasks.training.device import choose_device

    setting = Setting(choose_device(job.compute))
    state = new_state(first_model(job.blueprint, 7), job.course, setting.device)
    material = material_of(job)
    train(state, job.course, material, setting)
    return logits_of(state.model, material.encoder, material.valid, setting).argmax(axis=1)


def test_balanced_classes_find_more_of_the_rare_one() -> None:
    rows, valid = rare_rows(3000, 1), rare_rows(2000, 2)
    balanced = np.array([0.5 / 0.95, 0.5 / 0.05])[rows.labels]
    plain = recall_score(valid.labels, found_of(rows, valid))
    raised = recall_score(valid.labels, found_of(replace(rows, weights=balanced), valid))
    assert plain < 0.3
    assert raised > 0.7


def test_the_baselines_listen_to_weights() -> None:
    rows, valid = rare_rows(3000, 1), rare_rows(2000, 2)
    split = SplitRows(rows.columns, rows.labels, np.arange(3000))
    balanced = np.array([0.5 / 0.95, 0.5 / 0.05])[rows.labels]

    def answers(each: SplitRows) -> Any:
        from models.build import build_model
        from tasks.packaging.predictor import load_encoder

        fitted = fit_boosting(each, BINARY)
        model = build_model(fitted.family, fitted.config)
        model.load_state_dict(dict(fitted.weights))
        encoder = load_encoder(fitted.encoder, Path())
        batch = encoder.batch(encoder.rows(valid.columns))
        return model(**{k: torch.from_numpy(v) for k, v in batch.items()}).argmax(dim=1).numpy()

    plain = recall_score(valid.labels, answers(split))
    assert recall_score(valid.labels, answers(replace(split, weights=balanced))) > plain + 0.3


def test_a_linear_baseline_takes_weight_2_for_the_row_twice() -> None:
    rows = rare_rows(400, 5)
    features = np.array(list(rows.columns.values())).T
    weights = np.where(np.arange(400) < 100, 2.0, 1.0)
    once = SplitRows(rows.columns, rows.labels, np.arange(400), weights)
    again = np.concatenate([np.arange(400), np.arange(100)])
    twice = SplitRows({}, rows.labels[again], again)
    first = fit_linear(features, once, BINARY)
    second = fit_linear(features[again], twice, BINARY)
    assert np.allclose(first.coef_, second.coef_, atol=1e-3)


def test_statistics_of_series_and_sounds_are_fitted_with_weights() -> None:
    rows = rare_rows(3000, 1)
    features = np.array(list(rows.columns.values())).T
    split = SplitRows(rows.columns, rows.labels, np.arange(3000))
    balanced = np.array([0.5 / 0.95, 0.5 / 0.05])[rows.labels]

    def recall(each: SplitRows) -> float:
        head = linear_head(features, each, BINARY)
        found = features @ head["head.weight"].numpy().T + head["head.bias"].numpy()
        return float(recall_score(rows.labels, found.argmax(axis=1)))

    assert recall(replace(split, weights=balanced)) > recall(split) + 0.3


def test_only_the_validation_loss_is_weighted() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    labels, weights = np.array([0, 1, 1]), np.array([1.0, 1.0, 2.0])
    twice = [0, 1, 2, 2]
    assert weighted_loss(logits, labels, weights) == pytest.approx(
        {"valid/loss": class_scores(logits[twice], labels[twice])["valid/loss"]}
    )
    assert weighted_loss(logits, labels, None) == {}
    numbers = np.array([0.5, 1.0, 0.0], dtype=np.float32)
    found = weighted_loss(logits[:, :1], numbers, weights)["valid/loss"]
    assert found == pytest.approx((2.25 + 1.0 + 2 * 1.0) / 4)
