"""The pretrained backbone in a project: what its features are worth, and what is refused."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pyarrow import fs

from models.efficientnet_lite import PACKAGE
from tasks.data.config import DataConfig
from tasks.packaging.export import export_bundle, prove_parity
from tasks.packaging.predictor import Predictor
from tasks.training.blueprint import first_model
from tasks.training.checkpoint import CheckpointStore
from tasks.training.course import Setting, new_state
from tasks.training.fixed_features import with_fixed_features
from tasks.training.image_architectures import EFFICIENTNET, EfficientNetLite, ImageAugmentConfig
from tasks.training.job import material_of
from tasks.training.loop import train
from tasks.training.model_folder import card_of, save_model
from tasks.training.recipes import Site, student_job
from tests.in_process import CPU, site_of, snapshot

SETTINGS = {
    "epochs": 4, "max_rows": 160, "batch_size": 16, "resolution": 32, "dropout": 0.0, "lr": 1e-2,
    "averaging": "none", "augment": ImageAugmentConfig(shift=0, rotate=0),
}  # fmt: skip


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """scikit-learn's digits at their own 8 pixels."""
    folder = tmp_path_factory.mktemp("digits")
    data = {"source": "sklearn://digits", "kind": "image", "target": "digit", "image": {"size": 8}}
    return site_of(folder, snapshot(DataConfig.model_validate(data), folder, folder, "digits"))


def test_pretrained_features_tell_digits_apart_and_random_ones_do_not(
    digits: Site, tmp_path: Path
) -> None:
    job = student_job(EfficientNetLite.model_validate(SETTINGS), None, digits)
    valid = job.valid.take(np.arange(60))
    job = replace(job, valid=valid)
    material = material_of(job)
    scores = []
    for is_pretrained in (True, False):
        state = new_state(first_model(job.blueprint, 7), job.course, CPU, job.blueprint.frozen)
        if not is_pretrained:
            state.model.backbone.apply(_drawn_anew)  # type: ignore[operator, union-attr]
        train(state, job.course, material, Setting(CPU))
        scores.append(max(point.get("valid/accuracy", 0) for point in state.history))
        if is_pretrained:
            weights = state.model.state_dict() | state.best_weights
            card = card_of(state.model, job.blueprint, job.classes)
            save_model(tmp_path / "model", weights, card, {}, state.history)
    assert scores[0] > 0.6
    assert scores[0] > scores[1] + 0.1
    export_bundle(tmp_path / "model", tmp_path / "bundle", "digit", valid.columns)
    found = Predictor.load(tmp_path / "bundle").probabilities(valid.columns)
    prove_parity(tmp_path / "model", tmp_path / "bundle", valid.columns, found)
    assert (found.argmax(axis=1) == valid.labels).mean() > 0.6


def test_its_head_learns_the_same_from_kept_features(digits: Site, tmp_path: Path) -> None:
    settings = SETTINGS | {"epochs": 3, "max_rows": 48, "dropout": 0.2, "averaging": "ema"}
    job = student_job(EfficientNetLite.model_validate(settings), None, digits)
    job = replace(job, valid=job.valid.take(np.arange(30)))
    store = CheckpointStore(fs.LocalFileSystem(), str(tmp_path / "run"))
    plain, kept = (
        new_state(first_model(job.blueprint, 7), job.course, CPU, job.blueprint.frozen)
        for _ in range(2)
    )
    material = material_of(job)
    fixed = with_fixed_features(kept, job.course, material, Setting(CPU), store)
    assert fixed.train.rows.shape == (48, 1280)
    train(plain, job.course, material, Setting(CPU))
    train(kept, job.course, fixed, Setting(CPU))
    for name, weight in plain.trained_weights().items():
        torch.testing.assert_close(kept.trained_weights()[name], weight, atol=1e-5, rtol=1e-4)


def test_a_plan_counts_one_pass_where_features_are_fixed() -> None:
    varied, still = EfficientNetLite(), EfficientNetLite(augment=SETTINGS["augment"])
    assert varied.row_ms_in_all == varied.row_ms * varied.epochs
    assert still.row_ms_in_all == still.row_ms
    assert EfficientNetLite(augment=SETTINGS["augment"], frozen=False).row_ms_in_all > still.row_ms


def _drawn_anew(module: torch.nn.Module) -> None:
    if isinstance(module, torch.nn.Conv2d | torch.nn.BatchNorm2d):
        module.reset_parameters()


def test_without_its_package_the_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert EFFICIENTNET == PACKAGE
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"the extra modelworks\[efficientnet\] installs"):
        EfficientNetLite()


@pytest.mark.parametrize("resolution", [31, 48, 512])
def test_a_resolution_that_does_not_suit_is_refused(resolution: int) -> None:
    with pytest.raises(ValueError, match="resolution"):
        EfficientNetLite(resolution=resolution)
