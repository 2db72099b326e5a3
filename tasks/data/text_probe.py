"""What texts can be asked: how long, how rare their words, how they stand typing mistakes.

Typing mistakes after Belinkov and Bisk 2018 (arXiv:1711.02173): neighbours on the keyboard, letters
that are dropped or swapped.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from tasks.data.slicing import sliced_by_size
from tasks.data.text import normal_form

Columns = Mapping[str, Sequence[Any]]
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
MISTAKES = 0.05
"""Share of the letters that are mistyped; one a text at least."""
RARE_ROWS = 3
"""A word in fewer training rows is rare."""
MOST_PARTS = 40
"""A longer text is left out piece by piece, several words at a time."""


class TextProbe:
    """Rows with one or more columns of free text."""

    def slices(
        self, columns: Columns, training: Columns, types: Mapping[str, str]
    ) -> dict[str, list[str]]:
        """By length in words, and by how many words training hardly met."""
        del types
        texts, known = _joined(columns), _joined(training)
        counts = Counter(word for text in known for word in set(normal_form(text).split()))
        rare = [sum(counts[w] < RARE_ROWS for w in normal_form(text).split()) for text in texts]
        lengths, usual = ([len(text.split()) for text in part] for part in (texts, known))
        return {
            "length": sliced_by_size(lengths, usual, "words"),
            "rare words": [("none", "one")[count] if count < 2 else "several" for count in rare],
        }

    def damaged(
        self, columns: Columns, types: Mapping[str, str], seed: int
    ) -> dict[str, dict[str, list[str]]]:
        """Texts with typing mistakes, in other casing, without punctuation."""
        del types
        return {
            name: {column: all_changed(values, change, seed) for column, values in columns.items()}
            for name, change in CHANGES.items()
        }

    def parts(
        self, row: Mapping[str, Any], types: Mapping[str, str]
    ) -> list[tuple[str, dict[str, Any]]]:
        """Its words, or runs of words where there are many."""
        del types
        return [part for column in row for part in without_words(row, column)]


def keyboard_neighbours() -> dict[str, str]:
    """For each letter those beside, above and below it on a QWERTY keyboard."""
    near: dict[str, str] = {}
    for line, keys in enumerate(KEYBOARD):
        for place, key in enumerate(keys):
            above = KEYBOARD[line - 1][place : place + 2] if line else ""
            below = KEYBOARD[line + 1] if line + 1 < len(KEYBOARD) else ""
            beside = keys[max(0, place - 1) : place] + keys[place + 1 : place + 2]
            near[key] = beside + above + below[max(0, place - 1) : place + 1]
    return near


NEIGHBOURS = keyboard_neighbours()


def with_keyboard_slips(text: str, random: Random) -> str:
    """Some letters become a neighbour on the keyboard, in the same case."""
    marks = list(text)
    for place in _places(text, random):
        slip = random.choice(NEIGHBOURS[text[place].lower()])
        marks[place] = slip.upper() if text[place].isupper() else slip
    return "".join(marks)


def with_dropped_letters(text: str, random: Random) -> str:
    """Some letters are gone."""
    gone = set(_places(text, random))
    return "".join(mark for place, mark in enumerate(text) if place not in gone)


def with_swapped_letters(text: str, random: Random) -> str:
    """Some letters stand after the mark that they stood before."""
    marks = list(text)
    for place in _places(text[:-1], random):
        marks[place], marks[place + 1] = marks[place + 1], marks[place]
    return "".join(marks)


def without_punctuation(text: str, random: Random) -> str:
    """Words alone, those marked by @ and # included."""
    del random
    return " ".join(re.sub(r"[^\w\s@#]", " ", text).split()) or text


def _places(text: str, random: Random) -> list[int]:
    letters = [place for place, mark in enumerate(text) if mark.lower() in NEIGHBOURS]
    count = max(1, round(MISTAKES * len(letters)))
    return random.sample(letters, min(count, len(letters)))


CHANGES: dict[str, Callable[[str, Random], str]] = {
    "keyboard slips": with_keyboard_slips,
    "dropped letters": with_dropped_letters,
    "swapped letters": with_swapped_letters,
    "upper case": lambda text, _: text.upper(),
    "lower case": lambda text, _: text.lower(),
    "no punctuation": without_punctuation,
}


def all_changed(
    values: Sequence[Any], change: Callable[[str, Random], str], seed: int
) -> list[str]:
    """Each text after a change of its own, which the seed and its place decide."""
    changed = []
    for row, value in enumerate(values):
        text = str(value or "")
        random = Random(f"{seed} {row}")  # noqa: S311 - typing mistakes, no secret
        changed.append(change(text, random) or text)
    return changed


def without_words(row: Mapping[str, Any], column: str) -> list[tuple[str, dict[str, Any]]]:
    """Each word of a column, or run of words where there are many, and the row without it."""
    words = str(row[column] or "").split()
    run = -(-len(words) // MOST_PARTS)
    return [
        (
            " ".join(words[start : start + run]),
            {**row, column: " ".join(words[:start] + words[start + run :])},
        )
        for start in range(0, len(words), run or 1)
    ]


def _joined(columns: Columns) -> list[str]:
    return [
        " ".join(str(value or "") for value in row) for row in zip(*columns.values(), strict=True)
    ]
