"""The rows that a quantiser looks at: some to scale by, others to choose by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.artifacts import DatasetRef, Split
from tasks.data.snapshot import split_rows

CALIBRATION_ROWS = 256
CHOOSING_ROWS = 128
Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Sample:
    """Input columns of two splits."""

    calibration: Columns
    """Training rows, which scale activations."""
    choosing: Columns
    """Validation rows, which say how sensitive a layer is."""


def sample_of(data: Path, dataset: DatasetRef) -> Sample:
    """The same rows every time, spread evenly over their splits."""
    return Sample(
        _spread(data, dataset, "train", CALIBRATION_ROWS),
        _spread(data, dataset, "valid", CHOOSING_ROWS),
    )


def _spread(data: Path, dataset: DatasetRef, split: Split, most: int) -> Columns:
    return split_rows(data, dataset, split).spread(most).columns
