"""What rows of a table can be asked: what is missing, what is rare, how they stand noise."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasks.data.text_probe import all_changed, with_keyboard_slips, without_words
from tasks.packaging.predictor.table import category_of, is_empty

Columns = Mapping[str, Sequence[Any]]
NOISE = 0.1
"""Deviation of the noise, in deviations of its column."""
LOST = 0.1
"""Share of the cells that go missing, or hold a word that training never met."""
RARE_ROWS = 10
"""A category in fewer training rows is rare."""
MOST_COLUMNS = 12
"""Columns that go missing as a whole, one at a time; the first ones."""


class TableProbe:
    """Rows with columns of several types."""

    def slices(
        self, columns: Columns, training: Columns, types: Mapping[str, str]
    ) -> dict[str, list[str]]:
        """By missing cells, and by categories that training hardly met."""
        lost = np.sum([[is_empty(v) for v in values] for values in columns.values()], axis=0)
        found = {"missing cells": [("none", "one")[n] if n < 2 else "several" for n in lost]}
        words = [name for name in columns if types.get(name) == "category"]
        if words:
            rare = np.any([_is_rare(columns[name], training[name]) for name in words], axis=0)
            found["categories"] = ["one is rare" if is_rare else "all common" for is_rare in rare]
        return found

    def damaged(
        self, columns: Columns, types: Mapping[str, str], seed: int
    ) -> dict[str, dict[str, list[Any]]]:
        """Numbers with noise, cells lost, words never met or mistyped, a whole column missing."""
        random = np.random.default_rng(seed)
        rows = {name: list(values) for name, values in columns.items()}
        found = {"cells missing": {n: _replaced(v, None, random) for n, v in rows.items()}}
        numbers, words, texts = (
            [name for name in rows if types.get(name) == type_]
            for type_ in ("number", "category", "text")
        )
        if numbers:
            found["noise"] = rows | {name: _noisy(rows[name], random) for name in numbers}
        if words:
            strange = {name: _replaced(rows[name], "never met", random) for name in words}
            found["unknown categories"] = rows | strange
        if texts:
            found["keyboard slips"] = rows | {name: _mistyped(rows[name], seed) for name in texts}
        if len(rows) > 1:
            for name, values in list(rows.items())[:MOST_COLUMNS]:
                found[f"{name} missing"] = rows | {name: [None] * len(values)}
        return found

    def parts(
        self, row: Mapping[str, Any], types: Mapping[str, str]
    ) -> list[tuple[str, dict[str, Any]]]:
        """Its cells, and the words of those that hold free text."""
        return [
            part
            for name, value in row.items()
            if not is_empty(value)
            for part in (
                without_words(row, name)
                if types.get(name) == "text"
                else [(f"{name} = {_shown(value)}", {**row, name: None})]
            )
        ]


def _is_rare(values: Sequence[Any], training: Sequence[Any]) -> list[bool]:
    counts = Counter(category_of(value) for value in training)
    return [not is_empty(value) and counts[category_of(value)] < RARE_ROWS for value in values]


def _replaced(values: Sequence[Any], by: Any, random: np.random.Generator) -> list[Any]:
    lost = random.random(len(values)) < LOST
    return [by if gone else value for value, gone in zip(values, lost, strict=True)]


def _mistyped(values: Sequence[Any], seed: int) -> list[Any]:
    typed = all_changed(["" if is_empty(v) else v for v in values], with_keyboard_slips, seed)
    return [v if is_empty(v) else slip for v, slip in zip(values, typed, strict=True)]


def _noisy(values: Sequence[Any], random: np.random.Generator) -> list[Any]:
    known = [float(value) for value in values if not is_empty(value)]
    noise = random.normal(0, NOISE * float(np.std(known or [0.0])), len(values))
    pairs = zip(values, noise, strict=True)
    return [None if is_empty(value) else float(value) + shift for value, shift in pairs]


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
