"""What rows of each kind are compared by: numbers and names, where cells are neither.

Of pictures their light, of sounds length and loudness, of series length and the mean of each
channel; the columns themselves of everything else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tasks.data.arrow_column import taken
from tasks.data.audio import level_of
from tasks.packaging.predictor.audio import stored_samples
from tasks.packaging.predictor.image import stored_pixels

Columns = Mapping[str, Sequence[Any]]
MOST_ROWS = 5000
"""Pictures, sounds or series that are looked at, spread evenly: each has to be decoded."""


def measures_of(kind: str, columns: Columns) -> Columns:
    """Columns of numbers or names, by what they are."""
    if kind not in MEASURES:
        return columns
    rows = {name: taken(cells, looked_at(len(cells))) for name, cells in columns.items()}
    return MEASURES[kind](rows)


def looked_at(count: int) -> np.ndarray:
    """Which of so many rows are measured."""
    return np.arange(0, count, max(1, -(-count // MOST_ROWS)))


def _of_pictures(columns: Columns) -> Columns:
    (cells,) = columns.values()
    pictures = [stored_pixels(cell) for cell in cells]
    return {
        "brightness": [float(pixels.mean()) for pixels in pictures],
        "contrast": [float(pixels.std()) for pixels in pictures],
    }


def _of_sounds(columns: Columns) -> Columns:
    (cells,) = columns.values()
    sounds = [stored_samples(cell) for cell in cells]
    return {
        "seconds": [len(samples) / rate for samples, rate in sounds],
        "loudness": [level_of(samples) for samples, _ in sounds],
    }


def _of_series(columns: Columns) -> Columns:
    means = {
        f"mean of {name}": [_mean([v for v in cell if v is not None]) for cell in cells]
        for name, cells in columns.items()
    }
    return {"steps": [len(cell) for cell in next(iter(columns.values()))], **means}


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


MEASURES: dict[str, Callable[[Columns], Columns]] = {
    "image": _of_pictures,
    "audio": _of_sounds,
    "series": _of_series,
}
"""By kind, where cells are neither numbers nor names."""
