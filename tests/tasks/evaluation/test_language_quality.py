"""Texts looked at: where the bits go, and which texts surprise."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tasks.data.snapshot import Rows
from tasks.evaluation.language_quality import (
    END,
    TextJudge,
    Token,
    kind_of,
    language_tables,
    place_of,
    surprising,
)

LN2 = math.log(2)
SUMS = np.array([[40, 9, 20], [10, 9, 40], [50, 3, 4], [90, 9, 30]], np.float32)
"""Nats, tokens, bytes."""


def told(columns: Mapping[str, Sequence[Any]]) -> list[list[Token]]:
    """A bit for each letter, four for each mark, eight for the end."""
    (texts,) = columns.values()
    return [
        [*((mark, 1, (1 if mark.isalpha() else 4) * LN2) for mark in text), ("", 0, 8 * LN2)]
        for text in texts
    ]


@pytest.mark.parametrize(
    ("piece", "size", "kind"),
    [
        (" the", 4, "a word's beginning"),
        ("ing", 3, "a word's inside, or a first word"),
        ("é", 2, "letters beyond English"),
        (" 42", 3, "digits"),
        ("?!", 2, "punctuation and signs"),
        ("  ", 2, "space alone"),
        ("�", 1, "part of a character"),
        ("", 0, END),
    ],
)
def test_the_kind_of_a_token(piece: str, size: int, kind: str) -> None:
    assert kind_of((piece, size, 1.0)) == kind


@pytest.mark.parametrize(("read", "place"), [(0, "0 to 7"), (8, "8 to 15"), (300, "256 or more")])
def test_the_place_of_a_token(read: int, place: str) -> None:
    assert place_of(read) == place


def test_the_tables_divide_all_bits() -> None:
    places, kinds = language_tables({"text": ["abcdefgh!!", "ab"]}, told)
    assert [line[0] for line in places.rows] == ["0 to 7", "8 to 15"]
    assert places.rows[0][1:4] == ("10", "1.000", "1.00")
    assert places.rows[1][1:4] == ("2", "4.000", "4.00")
    lines = {name: rest for name, *rest in kinds.rows}
    assert lines[END] == ["2", "-", "8.00", "47.1 %"]
    assert lines["punctuation and signs"] == ["2", "4.000", "4.00", "23.5 %"]
    assert next(iter(lines)) == END


def test_texts_are_judged_by_all_their_bytes() -> None:
    judge = TextJudge()
    estimate = judge.estimate(SUMS, np.zeros(4))
    assert estimate is not None
    assert estimate.value == pytest.approx(190 / LN2 / 94)
    assert estimate.low <= estimate.value <= estimate.high
    assert not judge.more_is_better
    assert judge.estimate(SUMS[:1], np.zeros(1)) is None
    assert judge.changed(SUMS, SUMS) == 0
    assert judge.changed(SUMS[:1], SUMS[1:2]) == pytest.approx((2 - 0.25) / LN2)


def test_the_most_surprising_texts_are_long_ones() -> None:
    texts = ["a" * 20, "b" * 40, "c!!!", "d!" * 15]
    rows = Rows({"text": texts}, np.zeros(4), np.arange(4) + 7)
    found = surprising(rows, SUMS, 2, told)
    assert [mistake.row_id for mistake in found] == [10, 7]
    first = found[0]
    assert first.predicted == f"{90 / LN2 / 30:.3f} bits per byte"
    assert (first.how_wrong, first.truth_word) == ("in 9 tokens", "of all texts")
    assert first.truth == f"{190 / LN2 / 94:.3f}"
    assert first.parts[0] == ("d", pytest.approx(1 / 20))
    assert first.parts[-1] == ("end", pytest.approx(8 / 20))
    assert surprising(rows, SUMS[2:3].repeat(4, 0), 2, told) == []
