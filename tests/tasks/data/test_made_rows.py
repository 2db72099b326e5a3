"""What made rows are made of: words and cells of training rows alone, in their shares."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from tasks.data.arrow_column import ArrowColumn
from tasks.data.made_rows import LOST, MOST_WORDS, REPLACED, Words, made_cells, made_texts, run_of

TEXTS = [
    "the crew was kind and the flight was late",
    "the flight was quick",
    "late again",
    "",
    "the crew and the bags were late again",
]


def pairs(texts: list[str]) -> Counter[tuple[str, str]]:
    """How often a word follows another; "" is before the first."""
    split = [["", *text.split()] for text in texts]
    return Counter(pair for words in split for pair in pairwise(words))


def test_rows_are_drawn_from_the_seed() -> None:
    made = made_texts({"text": TEXTS}, 6, seed=3)["text"]
    assert len(made) == 6 * len(TEXTS)
    assert made == made_texts({"text": TEXTS}, 6, seed=3)["text"]
    assert made != made_texts({"text": TEXTS}, 6, seed=4)["text"]
    assert made[: 2 * len(TEXTS)] == made_texts({"text": TEXTS}, 2, seed=3)["text"]


def test_words_are_those_of_training_rows() -> None:
    made = made_texts({"text": TEXTS}, 40, seed=1)["text"]
    assert {word for text in made for word in text.split()} <= set(" ".join(TEXTS).split())
    assert len(set(made)) > 50


def test_a_replaced_word_follows_the_word_before_it_as_often_as_in_the_rows() -> None:
    words, random, seen = Words(TEXTS), np.random.default_rng(5), pairs(TEXTS)
    flat = " ".join(TEXTS).split()
    place = flat.index("was")  # after "crew"; what follows "the" stands before it
    found: Counter[str] = Counter()
    for _ in range(4000):
        drawn = words.successors(random)
        assert seen["crew", words.words[drawn[place]]]
        found[words.words[drawn[1]]] += 1
    after_the = {after: count for (before, after), count in seen.items() if before == "the"}
    assert set(found) == set(after_the)
    for word, count in after_the.items():
        assert found[word] / 4000 == pytest.approx(count / sum(after_the.values()), abs=0.03)


def test_so_many_words_are_lost_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.data.made_rows.PIECE", 0.0)
    monkeypatch.setattr("tasks.data.made_rows.MIXED", 0.0)
    # Every second word is one of 500 that follow it: a replaced one is hardly ever the same.
    texts = [" ".join(f"a w{(7 * row + at) % 500}" for at in range(50)) for row in range(60)]
    varied = Words(texts).varied(np.random.default_rng(2))
    kept = [Counter(t.split()) & Counter(v.split()) for t, v in zip(texts, varied, strict=True)]
    of_words = sum(n for c in kept for word, n in c.items() if word != "a") / (60 * 50)
    assert of_words == pytest.approx(1 - LOST - REPLACED, abs=0.03)
    assert np.mean([len(v.split()) for v in varied]) == pytest.approx(100 * (1 - LOST), rel=0.03)


def test_a_piece_is_a_run_of_neighbours() -> None:
    text = np.arange(9)
    lengths: Counter[int] = Counter()
    for size, at in np.random.default_rng(7).random((500, 2)):
        piece = run_of(text, size, at)
        np.testing.assert_array_equal(piece, np.arange(piece[0], piece[0] + len(piece)))
        lengths[len(piece)] += 1
    assert set(lengths) == set(range(1, MOST_WORDS + 1))
    np.testing.assert_array_equal(run_of(text[:2], 0.99, 0.99), [0, 1])
    assert len(run_of(text[:0], 0.5, 0.5)) == 0


def test_a_mixed_text_begins_like_one_row_and_ends_like_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"PIECE": 0.0, "MIXED": 1.0, "LOST": 0.0, "REPLACED": 0.0}.items():
        monkeypatch.setattr(f"tasks.data.made_rows.{name}", value)
    starts = {tuple(t.split()[:n]) for t in TEXTS for n in range(len(t.split()) + 1)}
    ends = {tuple(t.split()[n:]) for t in TEXTS for n in range(len(t.split()) + 1)}
    for text in made_texts({"text": TEXTS}, 30, seed=9)["text"]:
        words = tuple(text.split())
        assert any(words[:n] in starts and words[n:] in ends for n in range(len(words) + 1))


def test_cells_come_from_other_rows_of_their_column() -> None:
    count = 400
    columns = {
        "delay": ArrowColumn(pa.chunked_array([np.arange(count, dtype=np.float64)])),
        "carrier": ArrowColumn(pa.chunked_array([[f"c{row}" for row in range(count)]])),
        "note": [f"n{row}" for row in range(count)],
    }
    made = made_cells(columns, 5, seed=1)
    assert isinstance(made["carrier"], ArrowColumn)
    assert isinstance(made["note"], list)
    stayed = []
    for name, cells in columns.items():
        whole, own = list(made[name]), list(cells) * 5
        assert set(whole) <= set(cells)
        stayed.append([a == b for a, b in zip(whole, own, strict=True)])
    assert np.mean(stayed) == pytest.approx(0.75, abs=0.02)
    # Each column draws for itself: no cell's fate is another's.
    assert abs(np.corrcoef(stayed)[0, 1]) < 0.06
