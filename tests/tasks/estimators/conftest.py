"""Real rows in small snapshots: a table of two classes, one of numbers, texts, and pictures."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from tasks.data.config import DataConfig
from tasks.training.recipes import Site
from tests import in_process

LOADERS = {"cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes}


@pytest.fixture(scope="session")
def site_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Site]:
    """From the name of scikit-learn's data to a snapshot of it, with a category and gaps."""
    made: dict[str, Site] = {}

    def site(name: str) -> Site:
        if name not in made:
            made[name] = _site(name, tmp_path_factory.mktemp(name))
        return made[name]

    return site


def _site(name: str, folder: Path) -> Site:
    _write_table(name, folder / "rows.csv")
    numbers = name == "diabetes"
    config = DataConfig.model_validate(
        {
            "source": "rows.csv",
            "target": "y",
            "kind": "table",
            "columns": {"size": "category"},
            "task": "regression" if numbers else "classification",
        }
    )
    data = folder / "snapshot"
    return in_process.site_of(data, in_process.snapshot(config, folder, data, name))


def _write_table(name: str, path: Path) -> None:
    data = LOADERS[name]()
    columns = data.data[:, :6]
    sizes = np.digitize(columns[:, 0], np.quantile(columns[:, 0], [0.25, 0.5, 0.75]))
    targets = data.target if name == "diabetes" else data.target_names[data.target]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*(f"c{i}" for i in range(6)), "size", "y"])
        for index, (values, size, target) in enumerate(zip(columns, sizes, targets, strict=True)):
            cells = [f"{value:.6g}" for value in values]
            cells[index % 6] = "" if index % 11 == 0 else cells[index % 6]
            rows.writerow([*cells, "SMLX"[size], target])
