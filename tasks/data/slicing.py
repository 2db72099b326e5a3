"""Values into a few named slices; the cut points are those of the training rows."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tasks.data.table import is_missing

MOST_SLICES = 8
"""Of one column of words: its most frequent values; the others are one slice more."""
PARTS = 3
"""Slices of a column of numbers, with as many training rows in each."""
NOTHING = "missing"


def sliced_by_value(values: Sequence[Any], training: Sequence[Any]) -> list[str]:
    """The slice of each value of a declared column: a range of numbers, or the value itself."""
    known = [value for value in training if not is_missing(value)]
    if all(_is_number(value) for value in known) and len(set(known)) > MOST_SLICES:
        return sliced_by_size([_number(value) for value in values], [float(x) for x in known], "")
    common = [name for name, _ in Counter(map(_named, known)).most_common(MOST_SLICES)]
    named = (NOTHING if is_missing(value) else _named(value) for value in values)
    return [name if name in common or name == NOTHING else "other values" for name in named]


def sliced_by_size(values: Sequence[float], training: Sequence[float], unit: str) -> list[str]:
    """`up to 9 words`, `over 9 to 17 words`, ...: about as many training rows in each."""
    shares = np.arange(1, PARTS) / PARTS
    cuts = np.unique(np.quantile(training, shares, method="lower"))
    cuts = cuts[cuts < max(training)]
    written = [f"{cut:g}" for cut in cuts]
    names = [f"up to {cut}" for cut in written[:1]] or ["all"]
    names += [f"over {low} to {high}" for low, high in pairwise(written)]
    names += [f"over {cut}" for cut in written[-1:]]
    places = np.searchsorted(cuts, np.asarray(values, dtype=float), side="left")
    return [
        NOTHING if np.isnan(value) else f"{names[place]} {unit}".strip()
        for value, place in zip(values, places, strict=True)
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _named(value: Any) -> str:
    return f"{value:g}" if _is_number(value) else str(value)


def _number(value: Any) -> float:
    return float("nan") if is_missing(value) else float(value)
