"""Encoder of series: standard scores of each channel, step by step, and which steps are padding."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


class SeriesRows:
    """Channels as `values` float32 [rows, steps, K] and `mask` float32 [rows, steps].

    A missing value becomes the mean; where training met one, a number beside it says so.
    """

    names: tuple[str, ...] = ("values", "mask")
    batch_rows = 1
    """Matrix products of other sizes round otherwise: alone, a row's answer is the same to the bit
    whoever else is asked."""
    ragged_axes: tuple[int, ...] = (1,)

    def __init__(
        self, channels: Sequence[Mapping[str, Any]], layout: Mapping[str, str], max_length: int
    ) -> None:
        self._columns = [str(channel["name"]) for channel in channels]
        self._mean = np.array([channel["mean"] for channel in channels])
        self._deviation = np.array([channel["deviation"] for channel in channels])
        self._told = np.flatnonzero([channel["missing"] for channel in channels])
        self._max_length = max_length
        self.layout = dict(layout)
        """Of a table with a row for each step: the columns `id` and `time`."""

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "SeriesRows":
        """From the configuration alone; no file is read from `folder`."""
        del folder
        return cls(config["channels"], config["layout"], config["max_length"])

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> list[np.ndarray]:
        """float32 [steps, K] of each row; ValueError names the first row that is no series."""
        for name in self._columns:
            if name not in columns:
                raise ValueError(
                    f"column {name!r} is missing; found {', '.join(map(str, columns))}"
                )
        cells = [columns[name] for name in self._columns]
        return [self._row(row, each) for row, each in enumerate(zip(*cells, strict=True))]

    def length(self, row: np.ndarray) -> int:
        """Steps of one row."""
        return len(row)

    def batch(self, rows: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Padded with zeros behind the last step; the mask is 1 where a step stands."""
        steps = max(map(len, rows))
        values = np.zeros((len(rows), steps, rows[0].shape[1]), np.float32)
        mask = np.zeros((len(rows), steps), np.float32)
        for index, row in enumerate(rows):
            values[index, : len(row)] = row
            mask[index, : len(row)] = 1
        return {"values": values, "mask": mask}

    def _row(self, row: int, cells: Sequence[Any]) -> np.ndarray:
        found = [_numbers(cell, row, self._columns[i]) for i, cell in enumerate(cells)]
        steps = sorted({len(values) for values in found})
        if len(steps) > 1 or not 1 <= steps[0] <= self._max_length:
            raise ValueError(
                f"row {row}: channels of {' and '.join(map(str, steps))} values, one length from "
                f"1 to {self._max_length} was expected"
            )
        values = np.stack(found, axis=1)
        gone = np.isnan(values)
        scores = np.where(gone, 0.0, (values - self._mean) / self._deviation)
        return np.concatenate([scores, gone[:, self._told]], axis=1).astype(np.float32)


def _numbers(cell: Any, row: int, column: str) -> np.ndarray:
    try:
        values = np.array(cell, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(())
    if values.ndim != 1 or np.isinf(values).any():
        raise ValueError(
            f"column {column!r}, row {row}: {cell!r:.40} must be a list of finite numbers"
        )
    return values
