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
    firsts: dict[bytes, str] = {}
    for name, values in columns.items():
        codes, known = codes_of(values)
        if known < 2:
            found[name] = "it is the same in every row" if known else "it is empty"
            continue
        is_rich = known > MOST_DISTINCT * len(values)
        if is_rich and type_of(values) == "category":
            found[name] = "it is a name: nearly every row has another"
            continue
        first = firsts.setdefault(hashlib.sha256(codes.tobytes()).digest(), name)
        if first == name:
            continue
        # Where no value repeats, any two columns are one-to-one: only copies say the same.
        if not is_rich:
            found[name] = f"it says the same as {first!r}, one value for one value"
        elif _equal_but_for_units(columns[first], values):
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


def _equal_but_for_units(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether both are equal, or one is a straight line of the other."""
    if list(first) == list(second):
        return True
    try:
        numbers = np.array([[number_of(v) for v in values] for values in (first, second)])
    except (TypeError, ValueError):
        return False
    gone = np.isnan(numbers)
    if (gone[0] != gone[1]).any():
        return False
    left, right = numbers[:, ~gone[0]]
    if min(left.std(), right.std()) == 0:
        return False
    left, right = (left - left.mean()) / left.std(), (right - right.mean()) / right.std()
    return bool(min(np.abs(left - right).max(), np.abs(left + right).max()) < SAME)
