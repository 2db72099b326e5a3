"""Numbers from a file to a bundle: baseline and network, on scikit-learn's diabetes."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes

from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.dataset import split_sizes, write_dataset
from tasks.data.prepare import prepare_rows
from tasks.data.scale import scale_of
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.regression import number_figures
from tasks.packaging.export import export_bundle, prove_parity
from tasks.packaging.predictor import Predictor
from tasks.training.architectures import Mlp
from tasks.training.blueprint import first_model
from tasks.training.config import ComputeConfig
from tasks.training.course import Setting, new_state
from tasks.training.device import Device
from tasks.training.job import material_of
from tasks.training.loop import train
from tasks.training.model_folder import card_of, save_model
from tasks.training.recipes import Site, student_job


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DatasetRef]:
    """A snapshot of 442 patients: ten figures, and how far the disease went in a year."""
    folder = tmp_path_factory.mktemp("diabetes")
    loaded = load_diabetes(as_frame=True, scaled=False).frame
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(loaded.columns)
        writer.writerows(loaded.to_numpy().tolist())
    config = DataConfig(source="rows.csv", kind="table", target="target", task="regression")
    prepared = prepare_rows(config, folder)
    data = folder / "data"
    data.mkdir()
    digest = write_dataset(prepared, data)
    return data, DatasetRef(
        name="diabetes",
        uri="s3://b/d/",
        sha256=digest,
        source_sha256=digest,
        kind="table",
        inputs=prepared.config.inputs,
        target="target",
        types=prepared.types,
        task="regression",
        classes=(),
        scale=scale_of(prepared),
        rows=split_sizes(prepared),
    )


def r2_of(bundle: Path, data: Path, dataset: DatasetRef) -> float:
    rows = split_rows(data, dataset, "test")
    found = Predictor.load(bundle).probabilities(rows.columns)
    assert found.shape == (len(rows), 1)
    return number_figures(found, rows.labels, ())[0]["r2"]


def test_the_baseline_explains_something_and_agrees_with_its_graph(
    diabetes: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    data, dataset = diabetes
    name, _, _ = save_baseline(data, dataset, tmp_path / "model")
    assert name == "boosting"
    columns = split_rows(data, dataset, "valid").columns
    export_bundle(tmp_path / "model", tmp_path / "bundle", "target", columns)
    found = Predictor.load(tmp_path / "bundle").probabilities(columns)
    assert prove_parity(tmp_path / "model", tmp_path / "bundle", columns, found).differing == 0
    assert r2_of(tmp_path / "bundle", data, dataset) > 0.2


def test_a_network_learns_numbers_and_answers_in_their_unit(
    diabetes: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    data, dataset = diabetes
    torch.set_num_threads(1)
    site = Site(dataset=dataset, dataset_folder=data, compute=ComputeConfig(device="cpu"))
    job = student_job(Mlp(name="mlp", epochs=40, batch_size=32, hidden=(32,)), None, site)
    state = new_state(
        first_model(job.blueprint, 7), job.course, Device(torch.device("cpu"), bfloat16=False)
    )
    train(state, job.course, material_of(job), Setting(Device(torch.device("cpu"), False)))
    card = card_of(state.model, job.blueprint, job.classes, job.scale, job.task)
    save_model(tmp_path / "model", state.best_weights, card, job.blueprint.files, state.history)
    columns = split_rows(data, dataset, "valid").columns
    export_bundle(tmp_path / "model", tmp_path / "bundle", "target", columns)
    predictor = Predictor.load(tmp_path / "bundle")
    found = predictor.probabilities(columns)
    assert prove_parity(tmp_path / "model", tmp_path / "bundle", columns, found).differing == 0
    assert r2_of(tmp_path / "bundle", data, dataset) > 0.35
    assert list(predictor.answer(columns)) == ["prediction"]
    assert 25 < float(np.mean(found)) < 346, "the range of the disease's measure"
