"""A few rows and what a bundle answers to them: the signature and the input example of MLflow."""

from pathlib import Path
from typing import Any

import pandas as pd

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import split_rows
from tasks.packaging import predictor
from tasks.packaging.predictor import Predictor

PREDICTOR_FOLDER = Path(predictor.__file__).parent
"""What is stored with every registered model so that it answers without modelworks."""
ROWS = 3


def settings_of(bundle: Path) -> dict[str, Any]:
    """What a bundle may be told for one call, with what holds when it is not."""
    return Predictor.load(bundle).settings


def example_and_answer(
    bundle: Path, data: Path, dataset: DatasetRef
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first validation rows, and what is answered to each."""
    rows = split_rows(data, dataset, "valid")
    example = pd.DataFrame({name: values[:ROWS] for name, values in rows.columns.items()})
    return example, pd.DataFrame(Predictor.load(bundle).answer(example.to_dict("list")))
