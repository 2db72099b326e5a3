"""Columns of a table that cannot help: constant, names, copies, and recodings of another one."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.arrow_column import ArrowColumn
from tasks.data.table import Ids
from tasks.packaging.predictor.table import is_empty, number_of

Columns = Mapping[str, Sequence[Any]]
MOST_DISTINCT = 0.5
"""A column of words with more different values than this share of its rows holds names."""
SAME = 1e-6
"""Largest distance, in deviations, of two columns of numbers that differ by their unit alone."""


def idle_columns(columns: Columns, type_of: Callable[[Sequence[Any]], str]) -> dict[str, str]:
    """Why each of those columns cannot help that cannot; of several that say the same, not the
    first."""
    found: dict[str, str] = {}
    firsts: dict[bytes, list[str]] = {}
    marks: dict[str, float | None] = {}
    for name, values in columns.items():
        codes, known = codes_of(values)
        if not codes.any():
            found[name] = "it is the same in every row" if known else "it is empty"
            continue
        is_rich = known > MOST_DISTINCT * len(values)
        if is_rich and type_of(values) == "category":
            found[name] = "it is a name: nearly every row has another"
            continue
        alike = firsts.setdefault(hashlib.sha256(codes.tobytes()).digest(), [])
        if not is_rich:
            if alike:
                found[name] = f"it says the same as {alike[0]!r}, one value for one value"
            else:
                alike.append(name)
            continue
        # Where no value repeats, any two columns are one-to-one: only copies say the same.
        marks[name] = _mark(values)
        near = (other for other in alike if _are_near(marks[other], marks[name]))
        first = next((other for other in near if _are_copies(columns[other], values)), None)
        if first is None:
            alike.append(name)
        else:
            found[name] = f"it is a copy of {first!r}, or the same in another unit"
    return found


def codes_of(values: Sequence[Any]) -> tuple[Ids, int]:
    """Each cell as the number of its value in order of appearance, and how many values there are.

    Empty cells are one value, which is not counted.
    """
    if isinstance(values, ArrowColumn) and (values.is_number or values.has_words):
        codes, known = values.codes()
        return _first_come(codes, np.fromiter(map(is_empty, known), np.bool_, len(known)))
    number: dict[Any, int] = {}
    plain = (value if _is_plain(value) else repr(value) for value in values)
    codes = np.fromiter((number.setdefault(v, len(number)) for v in plain), np.int64, len(values))
    empty = np.fromiter((is_empty(value) for value in number), np.bool_, len(number))
    return _first_come(codes, empty)


def _first_come(codes: Ids, empty: NDArray[np.bool_]) -> tuple[Ids, int]:
    """The codes in order of appearance, those of `empty` values as one."""
    codes = np.where(empty[codes], np.argmax(empty), codes)
    found, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(found), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(found))
    return rank[codes], int((~empty[found]).sum())


def _is_plain(value: Any) -> bool:
    return not isinstance(value, list | dict | bytes)


def _mark(values: Sequence[Any]) -> float | None:
    """Equal for copies, whatever their unit, so that few pairs of columns are compared in whole."""
    scores = _standard_scores(values)
    return None if scores is None else abs(float(scores[~np.isnan(scores)][0]))


def _are_near(first: float | None, second: float | None) -> bool:
    return first is second if first is None or second is None else abs(first - second) < SAME


def _are_copies(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether both are equal, or one is a straight line of the other."""
    left, right = _standard_scores(first), _standard_scores(second)
    if left is None or right is None:
        return bool(first == second)
    gone = np.isnan(left)
    if (gone != np.isnan(right)).any():
        return False
    left, right = left[~gone], right[~gone]
    return bool(min(np.abs(left - right).max(), np.abs(left + right).max()) < SAME)


def _standard_scores(values: Sequence[Any]) -> NDArray[np.float64] | None:
    """NaN where missing; None of what is no column of finite numbers."""
    try:
        if isinstance(values, ArrowColumn) and values.is_number:
            numbers = values.numbers()
        else:
            numbers = np.fromiter(map(number_of, values), np.float64, len(values))
    except (TypeError, ValueError):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = np.nanstd(numbers)
    if not (np.isfinite(deviation) and deviation):
        return None
    return np.asarray((numbers - np.nanmean(numbers)) / deviation)
