"""What series can be asked: how long they are, what is missing, how they stand a worse sensor.

Parts are a channel's values in one stretch of time, taken for missing (occlusion as of pictures:
Zeiler and Fergus 2014, arXiv:1311.2901; of series: Tonekaboni et al. 2020, arXiv:2003.02821).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tasks.data.slicing import sliced_by_size

Columns = Mapping[str, Sequence[Any]]
Row = Mapping[str, Any]
Cell = list[float | None]
NOISE = 0.1
"""Deviation of the noise, in deviations of its channel."""
GAP, CUT = 0.1, 0.25
"""Shares of the steps that go missing in all channels, or at the end are not there at all."""
MANY = 0.1
"""A series lacks much when more than this share of its values is missing."""
MOST_CHANNELS = 12
"""Channels that go missing as a whole, one at a time; the first ones."""
STRETCHES, MOST_PARTS = 8, 96
"""Parts of the time of one series, and of all: many channels share their parts."""


class SeriesProbe:
    """Rows with one or several channels, each a list of numbers."""

    def slices(
        self, columns: Columns, training: Columns, types: Mapping[str, str]
    ) -> dict[str, list[str]]:
        """By steps, and by the share of missing values."""
        del types
        lengths, usual = ([len(cell) for cell in _first(part)] for part in (columns, training))
        lost = [_share_missing(row) for row in zip(*columns.values(), strict=True)]
        return {
            "length": sliced_by_size(lengths, usual, "steps"),
            "missing values": [
                "none" if not share else "up to 10 %" if share <= MANY else "over 10 %"
                for share in lost
            ],
        }

    def damaged(
        self, columns: Columns, types: Mapping[str, str], seed: int
    ) -> dict[str, dict[str, list[Cell]]]:
        """With noise, with a gap, without an end, without a channel."""
        del types
        random = np.random.default_rng(seed)
        rows = {name: list(cells) for name, cells in columns.items()}
        gaps = [_gap(len(cell), random) for cell in _first(columns)]
        found = {
            "noise": {name: _noisy(cells, random) for name, cells in rows.items()},
            "a tenth missing": {
                name: [_without(c, gap) for c, gap in zip(cells, gaps, strict=True)]
                for name, cells in rows.items()
            },
            "last quarter not there": {
                name: [cell[: max(1, round((1 - CUT) * len(cell)))] for cell in cells]
                for name, cells in rows.items()
            },
        }
        if len(rows) > 1:
            for name in list(rows)[:MOST_CHANNELS]:
                found[f"{name} missing"] = rows | {name: [[None] * len(c) for c in rows[name]]}
        return found

    def parts(self, row: Row, types: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
        """Stretches of its channels."""
        del types
        return [
            (
                f"{' to '.join(dict.fromkeys((names[0], names[-1])))}, "
                f"steps {steps.start}-{steps.stop - 1}",
                {**row, **{name: _without(row[name], steps) for name in names}},
            )
            for names, steps in stretches(row)
        ]


def stretches(row: Row) -> Iterator[tuple[tuple[str, ...], slice]]:
    """Channels that share a part (one, unless there are very many) and its steps, in order."""
    together = -(-len(row) // MOST_PARTS)
    channels = list(row)
    groups = [
        tuple(channels[start : start + together]) for start in range(0, len(channels), together)
    ]
    length = len(row[channels[0]])
    count = max(1, min(STRETCHES, MOST_PARTS // len(groups), length))
    edges = np.linspace(0, length, count + 1).round().astype(int).tolist()
    for names in groups:
        for start, stop in pairwise(edges):
            yield names, slice(start, stop)


def _first(columns: Columns) -> Sequence[Cell]:
    return next(iter(columns.values()))


def _share_missing(cells: Sequence[Cell]) -> float:
    values = [value for cell in cells for value in cell]
    return sum(value is None for value in values) / max(1, len(values))


def _without(cell: Cell, steps: slice) -> Cell:
    return [None if steps.start <= i < steps.stop else value for i, value in enumerate(cell)]


def _gap(length: int, random: np.random.Generator) -> slice:
    """A tenth of the steps somewhere; of a single step nothing."""
    wide = min(length - 1, max(1, round(GAP * length)))
    start = int(random.integers(length - wide + 1))
    return slice(start, start + wide)


def _noisy(cells: Sequence[Cell], random: np.random.Generator) -> list[Cell]:
    known = [value for cell in cells for value in cell if value is not None]
    deviation = NOISE * float(np.std(known or [0.0]))
    return [
        [
            None if value is None else value + shift
            for value, shift in zip(cell, random.normal(0, deviation, len(cell)), strict=True)
        ]
        for cell in cells
    ]
