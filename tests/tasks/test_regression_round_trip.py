"""Numbers from a file to a bundle: baseline and network, on scikit-learn's diabetes."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes

from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.regression import number_figures
from tasks.packaging.predictor import Predictor
from tasks.training.architectures import Mlp
from tasks.training.recipes import student_job
from tests.in_process import exported, site_of, snapshot, taught


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
    return folder / "data", snapshot(config, folder, folder / "data", "diabetes")


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
    exported(data, dataset, tmp_path / "model", tmp_path / "bundle")
    assert r2_of(tmp_path / "bundle", data, dataset) > 0.2


def test_a_network_learns_numbers_and_answers_in_their_unit(
    diabetes: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    data, dataset = diabetes
    torch.set_num_threads(1)
    student = Mlp(name="mlp", epochs=40, batch_size=32, hidden=(32,))
    model = taught(student_job(student, None, site_of(data, dataset)), tmp_path / "model")
    predictor = exported(data, dataset, model, tmp_path / "bundle")
    columns = split_rows(data, dataset, "valid").columns
    found = predictor.probabilities(columns)
    assert r2_of(tmp_path / "bundle", data, dataset) > 0.35
    assert list(predictor.answer(columns)) == ["prediction"]
    assert 25 < float(np.mean(found)) < 346, "the range of the disease's measure"
