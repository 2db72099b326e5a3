"""Weights made zero: which, how many, for how long, and what that is worth."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn.utils import prune as torch_prune

from tasks.artifacts import DatasetRef
from tasks.compression.config import PruneConfig, RecoverConfig
from tasks.compression.distil_config import DistilConfig
from tasks.compression.parts import check_prunings
from tasks.compression.pruning import pruned
from tasks.compression.pruning_rounds import recovery_of
from tasks.compression.sparsity import TwoOfFour, zero_share, zipped_bytes
from tasks.data.snapshot import split_rows
from tasks.packaging.bundle import bundle_bytes, deciding_files
from tasks.packaging.export import export_bundle
from tasks.training.architectures import SeriesGru, Transformer
from tasks.training.blueprint import Blueprint, first_model
from tasks.training.held_zeros import products_of
from tasks.training.model_folder import trained_blueprint
from tasks.training.recipes import Lesson, student_job
from tests.in_process import exported, site_of, taught

Data = tuple[Path, DatasetRef]
CONFIG = Transformer(name="small", layers=2, width=32, heads=4, feed_forward=64, epochs=1)
HALF = PruneConfig(sparsity=0.5, recover=RecoverConfig(epochs=2))
PATTERN = PruneConfig(pattern="2:4", recover=RecoverConfig(epochs=2))


@pytest.fixture(scope="module")
def source(small_dataset: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder that was trained."""
    job = student_job(CONFIG, None, site_of(*small_dataset))
    return taught(job, tmp_path_factory.mktemp("model") / "small")


def recovered(prune: PruneConfig, source: Path, data: Data, folder: Path) -> Path:
    """The model in `source` with its zeros, learned on from a teacher that knows the labels."""
    said = np.eye(3, dtype=np.float32)[split_rows(*data, "train").labels] * 4
    job_of = recovery_of(CONFIG, prune, Lesson(DistilConfig(), said), site_of(*data))
    whole = trained_blueprint(source)
    return taught(job_of(pruned(job_of(whole), prune, 1, whole)), folder)


def zeros_of(blueprint: Blueprint) -> list[float]:
    layers = products_of(first_model(blueprint, 0))
    return [float((layer.weight == 0).float().mean()) for layer in layers]


def test_the_smallest_weights_of_each_matrix_go(source: Path, small_dataset: Data) -> None:
    whole = trained_blueprint(source)
    job = recovery_of(CONFIG, HALF, None, site_of(*small_dataset))(whole)
    smaller = pruned(job, HALF, 1, whole)
    assert zeros_of(smaller) == pytest.approx([0.5] * 9, abs=0.01)
    for name, weight in smaller.weights.items():
        before = whole.weights[name]
        left = weight != 0
        assert torch.equal(weight[left], before[left]), name
        if not left.all():
            assert before[~left].abs().max() <= before[left].abs().min(), name
    assert smaller.config == whole.config


def test_most_zeros_come_in_the_first_rounds(source: Path, small_dataset: Data) -> None:
    whole = trained_blueprint(source)
    prune = PruneConfig(sparsity=0.8, rounds=2)
    job_of = recovery_of(CONFIG, prune, None, site_of(*small_dataset))
    first = pruned(job_of(whole), prune, 1, whole)
    second = pruned(job_of(first), prune, 2, whole)
    assert zeros_of(first) == pytest.approx([0.7] * 9, abs=0.01)  # 7/8 of what goes
    assert zeros_of(second) == pytest.approx([0.8] * 9, abs=0.01)


@pytest.mark.parametrize("shape", [(3, 8), (2, 4, 3, 3)], ids=["matrix", "kernels"])
def test_two_of_each_four_stay_and_they_are_the_larger(shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    layer = torch.nn.Linear(8, 3) if len(shape) == 2 else torch.nn.Conv2d(4, 2, 3)
    before = layer.weight.detach().clone()
    assert before.shape == shape
    TwoOfFour.apply(layer, "weight")  # type: ignore[no-untyped-call]
    torch_prune.remove(layer, "weight")  # type: ignore[no-untyped-call]
    for group, left in zip(before.reshape(-1, 4), layer.weight.reshape(-1, 4), strict=True):
        expected = {int(place) for place in np.argsort(-group.abs().numpy())[:2]}
        assert {int(place) for place in left.nonzero()} == expected


def test_of_equal_weights_two_stay_and_odd_rows_stay_whole() -> None:
    mask = TwoOfFour().compute_mask(torch.ones(2, 8), torch.ones(2, 8))
    assert mask.tolist() == [[1, 1, 0, 0] * 2] * 2
    assert TwoOfFour().compute_mask(torch.ones(2, 6), torch.ones(2, 6)).sum() == 12


@pytest.mark.parametrize("prune", [HALF, PATTERN], ids=["half", "2:4"])
def test_zeros_outlive_the_recovery_and_the_bundle_is_as_large(
    prune: PruneConfig, source: Path, small_dataset: Data, tmp_path: Path
) -> None:
    model = recovered(prune, source, small_dataset, tmp_path / "sparse")
    assert (zero_share(source), zero_share(model)) == (0.0, pytest.approx(0.5, abs=0.01))
    before, after = (trained_blueprint(folder).weights for folder in (source, model))
    assert set(before) == set(after)
    moved = [name for name in after if not torch.equal(before[name], after[name])]
    assert len(moved) > 9, "what is left has learned"
    exported(*small_dataset, source, tmp_path / "whole")
    exported(*small_dataset, model, tmp_path / "bundle")
    whole, sparse = tmp_path / "whole", tmp_path / "bundle"
    assert bundle_bytes(sparse) == bundle_bytes(whole)
    assert zipped_bytes(sparse) < 0.9 * zipped_bytes(whole) < bundle_bytes(whole)


def test_zipped_bytes_are_those_of_an_archive_on_disk(
    make_bundle: Callable[[str], Path], tmp_path: Path
) -> None:
    bundle = make_bundle("ngram_bag")
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in deciding_files(bundle):
            archive.write(bundle / name, name)
    assert zipped_bytes(bundle) == (tmp_path / "bundle.zip").stat().st_size


def test_zeros_go_with_fewer_units(source: Path, small_dataset: Data, tmp_path: Path) -> None:
    both = PruneConfig(neurons=0.5, sparsity=0.5)
    model = recovered(both, source, small_dataset, tmp_path / "sparse")
    assert trained_blueprint(model).config["feed_forward"] == 32
    assert zero_share(model) == pytest.approx(0.5, abs=0.01)
    export_bundle(model, tmp_path / "bundle", "mood", split_rows(*small_dataset, "valid").columns)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "prune of teacher removes nothing: one of layers, heads"),
        ({"sparsity": 0.5, "pattern": "2:4"}, "pattern 2:4 leaves half of the weights, sparsity 0"),
        ({"sparsity": 1.0}, "less than 1"),
        ({"pattern": "1:4"}, "Input should be '2:4'"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        PruneConfig(**fields)  # type: ignore[arg-type]


def test_what_has_no_products_is_refused() -> None:
    with pytest.raises(ValueError, match="sparsity of teacher: model series_gru has no products"):
        check_prunings([PruneConfig(sparsity=0.5)], SeriesGru(), ())
