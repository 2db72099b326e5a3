"""Byte pairs spell any text; draws keep to what is asked of them."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.packaging.predictor.language import (
    END,
    IGNORED,
    PAD,
    BytePairs,
    Sampling,
    Tokens,
    bits_per_byte,
    continuation,
    drawn,
    likely_tokens,
    nats_of,
    parts_of,
    row_sums,
    sampling_of,
)
from tasks.training.learned_vocabulary import byte_vocabulary

TEXTS = ["the cat sat on the mat", "the dog sat on the log", "un éclair à Düsseldorf"] * 3
TOKENIZER, SIZE = byte_vocabulary(TEXTS, 320)
ENCODER = BytePairs.of("text", TOKENIZER)
LOGITS = np.random.default_rng(4).normal(0, 3, 60)


def next_logits(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """A model that knows the last token alone."""
    table = np.random.default_rng(5).normal(0, 2, (SIZE, SIZE)).astype(np.float32)
    return table[arrays["input_ids"]]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_exactly_and_its_bytes_are_counted(text: str) -> None:
    (row,) = ENCODER.rows({"text": [text]})
    assert ENCODER.text(row) == text
    assert ENCODER.bytes_V[row].sum() == len(text.encode())
    assert (row[0], row[-1], PAD in row) == (END, END, False)


def test_the_same_texts_give_the_same_tokens() -> None:
    assert byte_vocabulary(TEXTS, 320) == (TOKENIZER, SIZE)


def test_targets_are_the_tokens_that_follow_and_padding_is_none() -> None:
    rows = ENCODER.rows({"text": ["the cat", ""]})
    targets = ENCODER.targets(ENCODER.batch(rows))
    assert targets[0].tolist() == rows[0][1:]
    assert targets[1].tolist() == [END] + [IGNORED] * (len(rows[0]) - 2)


@pytest.mark.parametrize("top_k", [1, 3, 10])
def test_top_k_keeps_the_likeliest(top_k: int) -> None:
    kept = np.flatnonzero(likely_tokens(LOGITS, top_k, 1.0))
    assert sorted(kept) == sorted(np.argsort(-LOGITS)[:top_k])


@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 1.0), st.integers(0, 80))
def test_what_is_kept_is_likeliest_and_no_more_than_asked(top_p: float, top_k: int) -> None:
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum()
    found = likely_tokens(LOGITS, top_k, top_p)
    kept = found > 0
    assert found.sum() == pytest.approx(1)
    assert not kept.all() or shares[kept].min() >= 0
    if not kept.all():
        assert shares[kept].min() >= shares[~kept].max()
    least = shares[kept].min()
    assert shares[kept].sum() - least < top_p + 1e-9  # without the last one there was too little
    assert kept.sum() <= (top_k or len(LOGITS))
    assert found[kept] / found[kept].sum() == pytest.approx(shares[kept] / shares[kept].sum())


def test_temperature_sharpens_and_flattens() -> None:
    def entropy(temperature: float) -> float:
        shares = likely_tokens(LOGITS / temperature, 0, 1.0)
        return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())

    found = [entropy(temperature) for temperature in (0.25, 0.5, 1, 2, 4)]
    assert all(first < second for first, second in pairwise(found))


def test_temperature_zero_and_top_k_one_take_the_likeliest() -> None:
    for asked in (Sampling(temperature=0), Sampling(top_k=1)):
        found = [drawn(LOGITS.copy(), asked, np.random.default_rng(seed)) for seed in range(5)]
        assert set(found) == {int(LOGITS.argmax())}


def test_padding_is_never_drawn() -> None:
    logits = np.full(5, -5.0)
    logits[PAD] = 50
    asked = Sampling(temperature=1, top_k=0, top_p=1)
    random = np.random.default_rng(1)
    assert PAD not in {drawn(logits.copy(), asked, random) for _ in range(200)}
    assert drawn(logits.copy(), Sampling(temperature=0), random) != PAD


def test_draws_are_as_frequent_as_the_model_says() -> None:
    logits = np.array([-np.inf, 0.0, math.log(3), math.log(6)])
    asked, random = Sampling(temperature=1, top_k=0, top_p=1), np.random.default_rng(2)
    counts = np.bincount([drawn(logits.copy(), asked, random) for _ in range(4000)], minlength=4)
    assert counts / 4000 == pytest.approx([0, 0.1, 0.3, 0.6], abs=0.03)


def written(text: str, row: int = 0, **asked: Any) -> str:
    (prompt,) = ENCODER.rows({"text": [text]})
    return ENCODER.text(continuation(prompt, next_logits, ENCODER, Sampling(**asked), row))


def test_a_continuation_is_decided_by_text_seed_and_place() -> None:
    first = written("the cat", seed=3, temperature=1.5)
    assert first == written("the cat", seed=3, temperature=1.5)
    assert first != written("the cat", seed=4, temperature=1.5)
    assert first != written("the cat", row=1, seed=3, temperature=1.5)


def test_greedy_writing_follows_the_likeliest_tokens() -> None:
    (prompt,) = ENCODER.rows({"text": ["the cat"]})
    made: Tokens = prompt[:-1]
    for _ in range(6):
        logits = next_logits({"input_ids": np.array([made])})[0, -1]
        logits[PAD] = -np.inf
        made.append(int(logits.argmax()))
        if made[-1] == END:
            break
    expected = ENCODER.text(made[len(prompt) - 1 :])
    assert written("the cat", max_tokens=6, temperature=0) == expected


def test_sums_against_a_token_at_a_time_whatever_the_batch() -> None:
    rows = ENCODER.rows({"text": [*TEXTS[:3], ""]})
    found = row_sums(rows, next_logits, ENCODER, batch_rows=2)
    for sums, row in zip(found, rows, strict=True):
        shares = [
            np.exp(x - x.max()) / np.exp(x - x.max()).sum()
            for x in next_logits({"input_ids": np.array(row[:-1])})
        ]
        nats = -sum(math.log(share[token]) for share, token in zip(shares, row[1:], strict=True))
        assert sums.tolist() == pytest.approx(
            [nats, len(row) - 1, ENCODER.bytes_V[row].sum()], rel=1e-4
        )
    assert np.array_equal(found, row_sums(rows, next_logits, ENCODER, batch_rows=1))
    assert bits_per_byte(found)[3] == pytest.approx(found[3, 0] / math.log(2))


def test_a_long_text_is_scored_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ENCODER.rows({"text": [" ".join(TEXTS)]})
    whole = row_sums(rows, next_logits, ENCODER, 8)
    monkeypatch.setattr("tasks.packaging.predictor.language.MOST_TOKENS", 7)
    assert [part for p in parts_of(rows[0]) for part in p[1:]] == rows[0][1:]
    assert row_sums(rows, next_logits, ENCODER, 8) == pytest.approx(whole, rel=1e-5)


def test_nats_of_padding_are_none() -> None:
    logits = np.zeros((2, 3, 4), np.float32)
    nats, tokens = nats_of(logits, np.array([[1, 2, IGNORED], [IGNORED] * 3]))
    assert nats.tolist() == pytest.approx([2 * math.log(4), 0])
    assert tokens.tolist() == [2, 0]


def test_numbers_of_numpy_are_numbers() -> None:
    asked = sampling_of({"max_tokens": np.int64(3), "temperature": np.float64(0), "top_p": 1})
    assert (asked.max_tokens, asked.temperature) == (3, 0)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": 0}, "max_tokens 0 must be a whole number from 1 to 4096"),
    ({"max_tokens": 5000}, "max_tokens 5000 must be"),
    ({"max_tokens": 2.5}, "max_tokens 2.5 must be a whole number"),
    ({"max_tokens": "ten"}, "max_tokens 'ten' must be a whole number"),
    ({"max_tokens": True}, "max_tokens True must be a whole number"),
    ({"temperature": -0.1}, "temperature -0.1 must be a number from 0 to 10"),
    ({"temperature": 11}, "temperature 11 must be"),
    ({"temperature": float("nan")}, "temperature nan must be"),
    ({"temperature": None}, "temperature None must be"),
    ({"top_k": -1}, "top_k -1 must be a whole number from 0"),
    ({"top_k": 1.0}, "top_k 1.0 must be a whole number"),
    ({"top_p": 0}, "top_p 0 leaves no token"),
    ({"top_p": 1.5}, "top_p 1.5 must be a number from 0 to 1"),
    ({"seed": -1}, "seed -1 must be a whole number"),
    ({"seed": "x"}, "seed 'x' must be"),
    ({"heat": 1}, "'heat' is unknown, sampling takes max_tokens, temperature"),
]


@pytest.mark.parametrize(("asked", "message"), REFUSED, ids=str)
def test_a_sampling_that_cannot_be_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        sampling_of(asked)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"text": [None]}, "column 'text', row 0: None must be a text"),
        ({"text": ["a", 3]}, "column 'text', row 1: 3 must be a text"),
        ({"text": [float("nan")]}, "row 0: nan must be a text"),
        ({"text": ["a", "b\ud800"]}, "row 1: '\\\\ud800' is half of a surrogate pair"),
        ({"words": ["a"]}, "column 'text' is missing; found words"),
    ],
    ids=["none", "number", "nan", "surrogate", "column"],
)
def test_a_cell_that_is_no_text_is_refused(cells: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ENCODER.rows(cells)
