"""A frozen encoder's features: computed once, kept, and the same training as without them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pyarrow import fs

from tasks.artifacts import DatasetRef
from tasks.training.architectures import MiniLM
from tasks.training.blueprint import first_model
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig
from tasks.training.course import Course, Setting, TrainState, new_state
from tasks.training.fixed_features import with_fixed_features
from tasks.training.group import Group
from tasks.training.job import Fitted, Rows, TrainingJob, fitted_of, material_of, work
from tasks.training.loop import train
from tasks.training.losses import LabelLoss
from tasks.training.text_architectures import TextAugmentConfig
from tasks.training.text_augment import TextAugment
from tasks.training.text_models import minilm
from tests.in_process import CPU, Stop, StopAt

WORDS = {"good": "yes", "fine": "yes", "bad": "no", "awful and long": "no"}
DATASET = DatasetRef(
    name="days", uri="", sha256="", source_sha256="", kind="text", inputs=("text",),
    target="label", classes=("no", "yes"), rows={},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def rows(count: int) -> Rows:
    words = [list(WORDS)[index % 4] for index in range(count)]
    texts = [f"day {index} was {word}" for index, word in enumerate(words)]
    return Rows({"text": texts}, np.array([WORDS[word] == "yes" for word in words], dtype=np.int64))


def job_of(**settings: Any) -> TrainingJob:
    """A head on MiniLM's first layer."""
    config = MiniLM(**{"layers": 1, "min_count": 1, "frozen": True} | settings)
    learned = rows(48)
    return TrainingJob(
        blueprint=minilm(config, DATASET, learned),
        course=Course(epochs=6, batch_size=8, lr=config.first_lr, seed=7, loss=LabelLoss()),
        compute=ComputeConfig(workers=1, precision="float32", device="cpu"),
        classes=DATASET.classes,
        train=learned,
        valid=rows(16),
        save_seconds=0.0,
    )


def worked(job: TrainingJob, folder: Path, name: str = "run") -> Fitted:
    store = CheckpointStore(fs.LocalFileSystem(), str(folder / name))
    work(job, store, Group(), lambda *_: None)
    found = fitted_of(store)
    assert found is not None
    return found


def shelves(folder: Path) -> list[Path]:
    return sorted(folder.glob("features-*"))


def first_state(job: TrainingJob) -> TrainState:
    return new_state(first_model(job.blueprint, 7), job.course, CPU, job.blueprint.frozen)


def test_a_head_learns_the_same_from_kept_features(tmp_path: Path) -> None:
    job = job_of()
    plain = first_state(job)
    before = {name: weight.clone() for name, weight in plain.model.state_dict().items()}
    train(plain, job.course, material_of(job), Setting(CPU))
    kept = worked(job, tmp_path)
    assert len(shelves(tmp_path)) == 1
    assert kept.trained.keys() == plain.best_weights.keys() == {"head.weight", "head.bias"}
    for name, weight in plain.best_weights.items():
        torch.testing.assert_close(kept.trained[name], weight, atol=1e-4, rtol=1e-4)
        assert not torch.equal(weight, before[name])
    losses = [[p["train/loss"] for p in history] for history in (kept.history, plain.history)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert kept.score == plain.best_score == 1.0
    after = plain.model.state_dict()
    assert all(torch.equal(before[n], after[n]) for n in before if not n.startswith("head."))


def without_times(fitted: Fitted) -> list[dict[str, float]]:
    return [{k: v for k, v in point.items() if k != "time_ms"} for point in fitted.history]


def test_resumed_on_kept_features_it_is_the_uninterrupted_training(tmp_path: Path) -> None:
    job, stop = job_of(), StopAt(8)
    whole = worked(job, tmp_path / "whole")
    store = CheckpointStore(fs.LocalFileSystem(), str(tmp_path / "killed/run"))
    state, setting = first_state(job), Setting(CPU, observer=stop)
    material = with_fixed_features(state, job.course, material_of(job), setting, store)
    with pytest.raises(Stop):
        train(state, job.course, material, setting)
    assert stop.checkpoint is not None
    store.save(stop.checkpoint)
    resumed = worked(job, tmp_path / "killed")
    assert all(torch.equal(whole.trained[name], w) for name, w in resumed.trained.items())
    assert without_times(whole) == without_times(resumed)


def test_another_training_on_the_same_backbone_and_rows_finds_them(tmp_path: Path) -> None:
    job = job_of()
    worked(job, tmp_path)
    (shelf,) = shelves(tmp_path)
    (kept,) = shelf.glob("*/state.safetensors")
    written = kept.stat().st_mtime_ns
    other = replace(job, course=replace(job.course, lr=1e-3, epochs=2, seed=8))
    worked(other, tmp_path, "other")
    assert shelves(tmp_path) == [shelf]
    assert kept.stat().st_mtime_ns == written
    worked(replace(job, train=rows(40)), tmp_path, "fewer")
    assert len(shelves(tmp_path)) == 2


def test_rows_that_are_varied_have_no_fixed_features(tmp_path: Path) -> None:
    augment = TextAugment(TextAugmentConfig(token_dropout=0.2), 2)
    job = job_of()
    worked(replace(job, course=replace(job.course, augment=augment, epochs=1)), tmp_path)
    assert shelves(tmp_path) == []


def test_an_encoder_that_is_trained_has_no_fixed_features(tmp_path: Path) -> None:
    job = job_of(frozen=False)
    worked(replace(job, course=replace(job.course, epochs=1)), tmp_path)
    assert shelves(tmp_path) == []


def test_word_vectors_are_trained_where_that_is_asked_for(tmp_path: Path) -> None:
    for kept in (True, False):
        job = job_of(frozen=False, frozen_words=kept)
        before = first_model(job.blueprint, 7).state_dict()
        job = replace(job, course=replace(job.course, epochs=1))
        trained = worked(job, tmp_path, f"kept-{kept}").trained
        assert ("embeddings.words.weight" in trained) is not kept
        assert all(not torch.equal(weight, before[name]) for name, weight in trained.items())


def test_a_frozen_encoder_has_no_words_to_train() -> None:
    with pytest.raises(ValueError, match=r"frozen_words false: nothing but the head is trained"):
        MiniLM(frozen=True, frozen_words=False)


def test_blocks_of_a_frozen_encoder_are_not_computed_twice() -> None:
    with pytest.raises(ValueError, match=r"gradient_checkpointing true: a frozen encoder keeps"):
        MiniLM(frozen=True, gradient_checkpointing=True)


def test_a_head_alone_is_trained_at_a_rate_and_a_cost_of_its_own() -> None:
    head, whole = MiniLM(frozen=True, epochs=30), MiniLM(epochs=30)
    assert head.first_lr > whole.first_lr
    assert head.row_ms_in_all < whole.row_ms_in_all / 30
    varied = head.model_copy(update={"augment": TextAugmentConfig(token_dropout=0.1)})
    assert varied.row_ms_in_all == pytest.approx(30 * head.row_ms_in_all)
