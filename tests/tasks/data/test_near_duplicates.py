"""Near-copies share a group, whatever the order; different texts do not."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data.near_duplicates import SHINGLE, THRESHOLD, near_duplicate_groups
from tasks.data.text import normal_form

LETTERS = "abcdefghijklmnopqrstuvwxyz "


def random_text(rng: random.Random, length: int) -> str:
    return "".join(rng.choices(LETTERS, k=length))


def jaccard(left: str, right: str) -> float:
    a, b = (
        {text.ljust(SHINGLE)[i : i + SHINGLE] for i in range(max(1, len(text) - SHINGLE + 1))}
        for text in (left, right)
    )
    return len(a & b) / len(a | b)


def partition(texts: list[str]) -> set[frozenset[str]]:
    groups = near_duplicate_groups(texts)
    return {
        frozenset(text for text, group in zip(texts, groups, strict=True) if group == number)
        for number in set(groups.tolist())
    }


def test_a_changed_ending_stays_in_the_group() -> None:
    text = "the quick brown fox jumps over the lazy dog near the river bank"
    other = "a completely different sentence about trains and the weather in may"
    first, second, third = near_duplicate_groups([text, text + " now", other])
    assert first == second != third


def test_groups_agree_with_exact_similarity() -> None:
    rng = random.Random(3)  # noqa: S311
    texts = [random_text(rng, 80) for _ in range(100)]
    texts += [text[: rng.randint(40, 80)] for text in texts]
    groups = near_duplicate_groups(texts)
    wrong = sum(
        (jaccard(texts[i], texts[j]) >= THRESHOLD) != bool(groups[i] == groups[j])
        for i, j in combinations(range(len(texts)), 2)
        if abs(jaccard(texts[i], texts[j]) - THRESHOLD) > 0.12  # three standard errors
    )
    assert wrong == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=30), st.randoms())
def test_the_grouping_does_not_depend_on_the_order(texts: list[str], rng: random.Random) -> None:
    shuffled = texts.copy()
    rng.shuffle(shuffled)
    assert partition(texts) == partition(shuffled)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=20))
def test_equal_texts_always_share_a_group(texts: list[str]) -> None:
    groups = near_duplicate_groups(texts)
    for i, j in combinations(range(len(texts)), 2):
        assert texts[i] != texts[j] or groups[i] == groups[j]


@pytest.mark.parametrize("text", ["", "a", "日本語のとても短い文", "😀", "\ud800 alone"])
def test_any_text_can_be_grouped(text: str) -> None:
    assert near_duplicate_groups([text]).tolist() == [0]


def test_many_copies_of_one_band_are_one_group() -> None:
    stem = " ".join(f"word{number}" for number in range(40))
    texts = [f"{stem} {number}" for number in range(500)]
    assert len(np.unique(near_duplicate_groups(texts))) == 1


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("RT @you: Great NEWS!! https://t.co/x1 #win", "great news win"),
        ("Great news, win", "great news win"),
        ("www.example.com/a?b", "www.example.com/a?b"),
        (":-)", ":-)"),
        ("write to a_b@c.org", "write to a b org"),
        ("start", "start"),
    ],
    ids=["retweet", "plain", "only a link", "only punctuation", "address", "rt inside a word"],
)
def test_what_does_not_tell_texts_apart_is_left_out(text: str, normal: str) -> None:
    assert normal_form(text) == normal
