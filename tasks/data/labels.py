"""The target column as class names: what counts as missing, and which rows are dropped for it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.data.arrow_column import ArrowColumn
from tasks.data.table import Ids, Mask, Table, distinct, is_missing, shortened

MAX_MISSING = 0.05
"""Share of rows without a label above which a file is refused: it is not labelled data."""
MAX_CLASSES = 1000
WRITTEN_MISSING = frozenset({"", "nan", "null", "n/a", "#n/a", "<na>"})
"""A missing label as programs write it, in lower case. `NA` and `none` can be real classes."""


def class_name(value: Any) -> str | None:
    """A label as the name of its class, None when it is missing; 1, 1.0 and "1" are one class."""
    if is_missing(value):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    name = str(value).strip()
    return None if name.lower() in WRITTEN_MISSING else name


def read_labels(table: Table, target: str, above: float | None = None) -> tuple[list[str], Mask]:
    """The class name of each row ("" where there is none) and which rows have none.

    Raises `ValueError` for an unknown column, a value that is neither a name nor a number, or when
    more than 5 % of the labels are missing.
    """
    values = table.column(target, "data.target")
    if isinstance(values, ArrowColumn) and (values.is_number or values.has_words):
        return _compact_labels(values, above, table, target)
    for row, value in enumerate(values):
        if isinstance(value, list | dict | bytes):
            raise ValueError(
                f"{table.where(row)}: data.target {target!r} is {value!r:.40}, a name or a number "
                "was expected"
            )
    names = [class_name(value) for value in values]
    if above is not None:
        names = [_side(name, above, table, target) for name in names]
    missing = np.fromiter((name is None for name in names), dtype=np.bool_, count=len(names))
    check_missing(missing, table, target)
    return [name or "" for name in names], missing


def _compact_labels(
    values: ArrowColumn, above: float | None, table: Table, target: str
) -> tuple[list[str], Mask]:
    """The same of a column of numbers or words, by way of its different values."""
    if above is not None and values.is_number:
        names = np.array(["not above", "above", ""], dtype=object)
        codes: Ids = np.where(values.missing(), 2, (values.numbers() > above).astype(np.int64))
    else:
        codes, known = values.codes()
        found = [class_name(value) for value in known]
        if above is not None:
            found = [_side(name, above, table, target) for name in found]
        names = np.array([name or "" for name in found], dtype=object)
    missing: Mask = (names == "")[codes]
    check_missing(missing, table, target)
    return names[codes].tolist(), missing


def check_missing(missing: Mask, table: Table, target: str) -> None:
    """Raise ValueError when so many labels are missing that this is no labelled data."""
    if missing.mean() > MAX_MISSING:
        raise ValueError(
            f"{table.where(int(np.argmax(missing)))}: data.target {target!r} is missing here and "
            f"in {missing.sum():,} of {len(missing):,} rows, at most {MAX_MISSING:.0%} may be"
        )


def _side(name: str | None, above: float, table: Table, target: str) -> str | None:
    """Which side of `above` the number lies on; `NA` is a number that is missing."""
    if name is None or name.lower() == "na":
        return None
    try:
        return "above" if float(name) > above else "not above"
    except ValueError as error:
        raise ValueError(
            f"{table.path.name}: data.target {target!r} is {name!r}, which is no number to compare "
            f"with data.above {above:g}"
        ) from error


def repeated_rows(questions: Ids, labels: Sequence[Any]) -> tuple[Mask, Mask, int]:
    """Which rows repeat an earlier one, which contradict another, and how many questions do.

    `questions` number what rows ask. Equal rows with equal labels are kept once. Where equal rows
    disagree, all of them go: nobody knows the right label, and each would be counted as an error of
    any model.
    """
    number: dict[Any, int] = {}
    codes = np.fromiter((number.setdefault(v, len(number)) for v in labels), np.int64, len(labels))
    count = int(questions.max()) + 1 if len(questions) else 0
    pairs = distinct(questions * max(1, len(number)) + codes) // max(1, len(number))
    is_torn = np.bincount(pairs, minlength=count) > 1
    contradicts: Mask = is_torn[questions]
    repeats: Mask = np.ones(len(questions), dtype=np.bool_)
    repeats[np.unique(questions, return_index=True)[1]] = False
    return repeats & ~contradicts, contradicts, int(is_torn.sum())


def check_classes(labels: Sequence[str], target: str, where: str) -> tuple[str, ...]:
    """The class names, sorted; ValueError unless there are at least two, and not too many."""
    classes = tuple(sorted(set(labels)))
    if len(classes) < 2:
        only = f"only the class {classes[0]!r}" if classes else "no label"
        raise ValueError(f"{where}: data.target {target!r} has {only}, at least two are needed")
    if len(classes) > MAX_CLASSES:
        raise ValueError(
            f"{where}: data.target {target!r} has {len(classes):,} different values, at most "
            f"{MAX_CLASSES:,} classes are allowed (is it a number or a name?)"
        )
    return classes


def check_class_sizes(sizes: Counter[str], least: int, field: str) -> None:
    """Raise ValueError when a class has fewer than `least` independent groups of rows."""
    rare = sorted((count, name) for name, count in sizes.items() if count < least)
    if rare and len(sizes) == 1:  # of numbers and texts, which have no classes
        raise ValueError(
            f"{rare[0][0]} rows or groups of near-equal rows cannot be divided into train, valid "
            f"and test, at least {least} are needed"
        )
    if rare:
        listing = shortened([f"{name!r} has {count}" for count, name in rare], most=5)
        raise ValueError(
            f"{field}: too rare to stand in train, valid and test, which takes at least {least} "
            f"rows or groups of near-equal rows a class: {listing}"
        )
