"""What kinds of rows say about themselves: slices, damage, parts."""

from random import Random
from typing import Any

import pytest

from tasks.data.kinds import KINDS
from tasks.data.probes import PROBES, probe_of
from tasks.data.text_probe import (
    CHANGES,
    MISTAKES,
    NEIGHBOURS,
    with_dropped_letters,
    with_keyboard_slips,
    with_swapped_letters,
)

TEXT = "The crew of flight 19 was kind, quick and rather Lovely to us all!"
TYPES = {"speed": "number", "carrier": "category", "late": "boolean"}
TABLE: dict[str, list[Any]] = {
    "speed": [1.0, 2.0, None, 4.0] * 10,
    "carrier": ["AA", "AA", "BB", None] * 10,
    "late": [True, False, None, True] * 10,
}


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - typing mistakes, no secret


def test_every_kind_has_a_probe() -> None:
    assert PROBES.keys() <= KINDS.keys()
    assert PROBES.keys() == KINDS.keys()


def test_a_kind_without_a_probe_is_asked_nothing() -> None:
    probe = probe_of("smells")
    assert probe.slices(TABLE, TABLE, TYPES) == {}
    assert probe.damaged(TABLE, TYPES, 7) == {}
    assert probe.parts({"speed": 1.0}, TYPES) == []


def test_neighbours_are_mutual_and_beside_each_other() -> None:
    assert set(NEIGHBOURS["s"]) == set("adwezx")
    assert all(key in NEIGHBOURS[near] for key, nears in NEIGHBOURS.items() for near in nears)


def test_slips_keep_length_case_and_all_but_a_few_letters() -> None:
    slipped = with_keyboard_slips(TEXT * 4, chance(1))
    changed = [(a, b) for a, b in zip(TEXT * 4, slipped, strict=True) if a != b]
    letters = sum(mark.isalpha() for mark in TEXT * 4)
    assert len(changed) == round(MISTAKES * letters)
    assert all(b.lower() in NEIGHBOURS[a.lower()] for a, b in changed)
    assert all(a.isupper() == b.isupper() for a, b in changed)


def test_dropped_letters_are_gone_and_nothing_else() -> None:
    dropped = with_dropped_letters(TEXT, chance(2))
    assert len(dropped) == len(TEXT) - round(MISTAKES * sum(map(str.isalpha, TEXT)))
    marks = iter(TEXT)
    assert all(mark in marks for mark in dropped)


def test_swapped_letters_are_all_still_there() -> None:
    swapped = with_swapped_letters(TEXT, chance(3))
    assert swapped != TEXT
    assert sorted(swapped) == sorted(TEXT)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("text", ["", "!", "a", "日本語", "<b>"])
def test_a_short_or_foreign_text_survives(name: str, text: str) -> None:
    found = PROBES["text"].damaged({"text": [text]}, {}, 7)[name]["text"]
    assert len(found) == 1
    assert bool(found[0]) == bool(text)


@pytest.mark.parametrize(("kind", "columns"), [("text", {"text": [TEXT] * 5}), ("table", TABLE)])
def test_damage_is_the_same_for_a_seed_and_leaves_the_rows(
    kind: str, columns: dict[str, list[Any]]
) -> None:
    types = TYPES if kind == "table" else {}
    before = {name: list(values) for name, values in columns.items()}
    first, again, other = (PROBES[kind].damaged(columns, types, seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert columns == before
    for damaged in first.values():
        assert damaged.keys() == columns.keys()
        assert {len(v) for v in damaged.values()} == {len(v) for v in columns.values()}


def test_the_parts_of_a_text_are_its_words() -> None:
    parts = PROBES["text"].parts({"text": "so very <b>late</b>"}, {})
    assert [name for name, _ in parts] == ["so", "very", "<b>late</b>"]
    assert [row["text"] for _, row in parts] == [
        "very <b>late</b>",
        "so <b>late</b>",
        "so very",
    ]


def test_a_long_text_has_a_bounded_number_of_parts() -> None:
    words = [f"w{i}" for i in range(1000)]
    parts = PROBES["text"].parts({"text": " ".join(words)}, {})
    assert len(parts) <= 40
    assert " ".join(name for name, _ in parts).split() == words


def test_the_parts_of_a_row_are_its_filled_cells() -> None:
    parts = PROBES["table"].parts({"speed": 2.0, "carrier": None, "late": False}, TYPES)
    assert [name for name, _ in parts] == ["speed = 2", "late = False"]
    assert parts[0][1] == {"speed": None, "carrier": None, "late": False}


def test_free_text_in_a_table_is_mistyped_and_read_word_by_word() -> None:
    columns: dict[str, list[Any]] = {"speed": [1.0, 2.0], "note": ["the crew was late", None]}
    types = {"speed": "number", "note": "text"}
    slipped = PROBES["table"].damaged(columns, types, 7)["keyboard slips"]
    assert slipped["speed"] == columns["speed"]
    assert slipped["note"][0] != columns["note"][0]
    assert slipped["note"][1] is None
    parts = PROBES["table"].parts({"speed": 1.0, "note": "too late"}, types)
    assert [name for name, _ in parts] == ["speed = 1", "too", "late"]
    assert parts[1][1] == {"speed": 1.0, "note": "late"}


def test_texts_are_divided_by_length_and_rare_words() -> None:
    training = {"text": ["a common word", "a common word again", "a common word", "rare"]}
    found = PROBES["text"].slices({"text": ["a common word", "odd", "odd and rare"]}, training, {})
    assert found["rare words"] == ["none", "one", "several"]
    assert len(found["length"]) == 3


def test_tables_are_divided_by_what_is_missing_and_rare() -> None:
    columns: dict[str, list[Any]] = {
        "speed": [1.0, None, None, 1.0],
        "carrier": ["AA", None, "AA", "XX"],
        "late": [True, None, True, True],
    }
    found = PROBES["table"].slices(columns, TABLE, TYPES)
    assert found["missing cells"] == ["none", "several", "one", "none"]
    assert found["categories"] == ["all common", "all common", "all common", "one is rare"]


def test_a_missing_column_is_missing_alone() -> None:
    found = PROBES["table"].damaged(TABLE, TYPES, 7)
    assert found["speed missing"] == TABLE | {"speed": [None] * 40}
    lost = found["cells missing"]
    assert sum(a != b for a, b in zip(lost["late"], TABLE["late"], strict=True)) < 15
    noisy = zip(found["noise"]["speed"], TABLE["speed"], strict=True)
    assert all((a is None) == (b is None) for a, b in noisy)
