"""Rounds of pruning: what goes, what stays, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace

from tasks.artifacts import DatasetRef
from tasks.compression.config import PruneConfig
from tasks.compression.distil_config import DistilConfig
from tasks.compression.pruning import best, kept_of, pruned, ramp
from tasks.compression.pruning_judge import Told
from tasks.data.snapshot import split_rows
from tasks.packaging.export import export_bundle
from tasks.packaging.predictor import Predictor
from tasks.training.answers import logits_of
from tasks.training.architectures import Transformer
from tasks.training.blueprint import Blueprint, first_model, open_encoder
from tasks.training.config import ComputeConfig
from tasks.training.course import Setting
from tasks.training.device import choose_device
from tasks.training.examples import encode
from tasks.training.job import TrainingJob
from tasks.training.model_folder import load_card, trained_blueprint
from tasks.training.recipes import Lesson, recovery_job, student_job
from tests.in_process import site_of, taught

CONFIG = Transformer(name="small", layers=3, width=16, heads=4, feed_forward=32, epochs=1)


@pytest.fixture(scope="module")
def model(
    small_dataset: tuple[Path, DatasetRef], tmp_path_factory: pytest.TempPathFactory
) -> Blueprint:
    """A small encoder that was trained."""
    job = student_job(CONFIG, None, site_of(*small_dataset))
    return trained_blueprint(taught(job, tmp_path_factory.mktemp("model") / "small"))


@pytest.fixture
def job_of(small_dataset: tuple[Path, DatasetRef]) -> Callable[[Blueprint], TrainingJob]:
    """A function from a model to the training that goes on from it."""
    return lambda blueprint: recovery_job(CONFIG, None, site_of(*small_dataset), blueprint)


def test_a_training_goes_on_from_the_weights_that_it_is_given(
    model: Blueprint, job_of: Callable[[Blueprint], TrainingJob]
) -> None:
    start = first_model(job_of(model).blueprint, seed=3).state_dict()
    assert all(torch.equal(start[name], weight) for name, weight in model.weights.items())


def test_rounds_come_to_the_shares_that_were_asked_for(
    model: Blueprint, job_of: Callable[[Blueprint], TrainingJob]
) -> None:
    units = {"heads": 0.5, "neurons": 0.75, "width": 0.25}
    prune = PruneConfig(**units, layers=0.34, embedding_rank=6, rounds=2, rows=20)
    first = pruned(job_of(model), prune, 1, model)
    sizes = [first.config[name] for name in ("layers", "heads", "feed_forward", "width")]
    assert sizes == [2, 2, 11, 12]  # 7/8 of what goes
    second = pruned(job_of(first), prune, 2, model)
    sizes = [second.config[name] for name in ("layers", "heads", "feed_forward", "width")]
    assert sizes == [2, 2, 8, 12]
    assert second.config["head_width"] == 4
    assert first_model(second, 0).embeddings.widen.weight.shape == (12, 6)
    assert first_model(second, 0).layers[0].expand.weight.shape == (8, 12)


def test_a_vocabulary_of_the_pieces_that_rows_use_answers_alike(
    model: Blueprint,
    job_of: Callable[[Blueprint], TrainingJob],
    small_dataset: tuple[Path, DatasetRef],
    tmp_path: Path,
) -> None:
    words = ["[PAD]", "[UNK]", "flight", "the", "crew", "plain", "usual", "lovely", "late", "##1"]
    pieces = Tokenizer(WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    pieces.pre_tokenizer = Whitespace()
    pieces.add_special_tokens(["[PAD]", "[UNK]"])
    model = replace(model, files={"tokenizer.json": pieces.to_str().encode()})
    job = job_of(model)
    few = replace(job, train=job.train.take(np.array([0, 3, 6, 9])))
    smaller = pruned(few, PruneConfig(min_count=1), 1, model)
    kept = json.loads(smaller.files["tokenizer.json"])["model"]["vocab"]
    assert "late" in kept
    assert "lovely" not in kept
    assert smaller.config["vocab_size"] == len(kept)
    texts = {name: list(column) for name, column in few.train.columns.items()}
    found = []
    for name, blueprint in (("whole", model), ("smaller", smaller)):
        idle = replace(job, blueprint=blueprint, course=replace(job.course, lr=1e-30))
        folder = taught(idle, tmp_path / name)
        export_bundle(folder, tmp_path / f"{name}-bundle", "mood", texts)
        found.append(Predictor.load(tmp_path / f"{name}-bundle").probabilities(texts))
    assert found[0] == pytest.approx(found[1], abs=1e-5)


def test_a_pruned_model_learns_from_the_teacher_and_is_saved_like_any(
    model: Blueprint, small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    site = site_of(*small_dataset)
    logits = torch.randn(site.dataset.rows["train"], 3).numpy()
    lesson = Lesson(DistilConfig(), logits)
    prune = PruneConfig(heads=0.5, embedding_rank=6, linear_rank=3, rows=20)
    smaller = pruned(recovery_job(CONFIG, lesson, site, model), prune, 1, model)
    folder = taught(recovery_job(CONFIG, lesson, site, smaller), tmp_path / "pruned")
    shape = load_card(folder).config
    assert (shape["heads"], shape["embedding_rank"], shape["linear_rank"]) == (2, 6, 3)
    again = trained_blueprint(folder)
    moved = [name for name, w in smaller.weights.items() if not torch.equal(w, again.weights[name])]
    assert "layers.0.expand.0.weight" in moved
    assert "embeddings.widen.weight" in moved


def test_what_a_unit_is_worth_is_told_without_the_teachers_features(
    model: Blueprint, small_dataset: tuple[Path, DatasetRef]
) -> None:
    site = site_of(*small_dataset)
    seen = torch.randn(site.dataset.rows["train"], 3 + 8).numpy()
    lesson = Lesson(DistilConfig(features=1.0), seen)
    job = recovery_job(CONFIG, lesson, site, model)
    smaller = pruned(job, PruneConfig(neurons=0.5, rows=20), 1, model)
    assert smaller.config["feed_forward"] == 16


def test_a_teacher_that_is_to_please_itself_alone_is_judged_by_labels_too(
    model: Blueprint, small_dataset: tuple[Path, DatasetRef]
) -> None:
    site = site_of(*small_dataset)
    columns = split_rows(site.dataset_folder, site.dataset, "train").columns
    encoder = open_encoder(model)
    examples = encode(encoder, columns, np.zeros(site.dataset.rows["train"], np.int64))
    own = logits_of(
        first_model(model, 0),
        encoder,
        examples,
        Setting(choose_device(ComputeConfig(device="cpu"))),
    )
    kept = []
    for weight in (1.0, 0.5):
        job = recovery_job(CONFIG, Lesson(DistilConfig(weight=weight), own), site, model)
        kept.append(pruned(job, PruneConfig(neurons=0.5, rows=20), 1, model))
    assert kept[0].start == kept[1].start


def test_what_was_measured_serves_other_shares_of_the_same_model(
    model: Blueprint, job_of: Callable[[Blueprint], TrainingJob]
) -> None:
    told: Told = {}
    job = job_of(model)
    pruned(job, PruneConfig(neurons=0.75, rows=20), 1, model, told)
    fewer = PruneConfig(neurons=0.25, rows=20)
    assert pruned(job, fewer, 1, model, told) == pruned(job, fewer, 1, model)
    assert len(told) == 1
    thinner = PruneConfig(neurons=0.25, layers=0.34, rows=20)
    assert pruned(job, thinner, 1, model, told) == pruned(job, thinner, 1, model)
    assert len(told) == 3, "the layers, and the neurons of what they leave"


def test_something_must_go() -> None:
    with pytest.raises(ValueError, match="prune of teacher removes nothing: one of layers"):
        PruneConfig(rounds=2)


def test_most_goes_in_the_first_rounds() -> None:
    assert [ramp(number / 3) for number in (1, 2, 3)] == pytest.approx([19 / 27, 26 / 27, 1])


def test_one_unit_always_stays_and_of_equals_the_first() -> None:
    assert kept_of(3, 0.99) == 1
    assert best(torch.tensor([1.0, 3.0, 3.0, 2.0]), 2).tolist() == [1, 2]
    assert best(torch.tensor([1.0, 1.0, 1.0]), 2).tolist() == [0, 1]
