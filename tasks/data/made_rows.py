"""Rows made of training rows, for a teacher to answer.

A text loses words and gets others in their place, as "Distilling Task-Specific Knowledge from BERT"
(arXiv:1903.12136, section 3.2) and TinyBERT (arXiv:1909.10351, section 3.2) do it, with what the
training rows alone tell: a word that is replaced becomes one that follows the word before it
somewhere in them. A row of a table takes cells of other rows (Bucila et al. 2006, "Model
Compression", without its search for neighbours). What a made row means, only the teacher says.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.arrow_column import appended, taken

LOST, REPLACED = 0.1, 0.1
"""Share of a text's words: masked, and replaced by one of its kind, in arXiv:1903.12136."""
PIECE, MOST_WORDS = 0.25, 5
"""Share of the texts that are only a run of their words, of 1 to so many of them: from there."""
MIXED = 0.25
"""Share of the texts that begin like one row and end like another."""
SWAPPED = 0.25
"""Share of a table row's cells that come from other rows."""

Columns = Mapping[str, Sequence[Any]]
Ids = NDArray[np.int64]
Maker = Callable[[Columns, int, int], dict[str, Any]]
"""Of training rows, rows to make of each, and a seed."""


def made_texts(columns: Columns, count: int, seed: int) -> dict[str, Any]:
    """`count` texts of each row, those of one round after those of another; some may be equal.

    Several columns are varied each for itself. What loses all its words keeps one.
    """
    found: dict[str, Any] = {}
    for place, (name, texts) in enumerate(columns.items()):
        random = np.random.default_rng((seed, place))
        words = Words(texts)
        found[name] = [text for _ in range(count) for text in words.varied(random)]
    return found


class Words:
    """The words of all texts, side by side, and which follow which."""

    def __init__(self, texts: Sequence[str]) -> None:
        number: dict[str, int] = {}
        split = [text.split() for text in texts]
        self.lengths = np.array([len(words) for words in split], dtype=np.int64)
        self.ends = np.cumsum(self.lengths)
        self.ids: Ids = np.array(
            [number.setdefault(word, len(number)) for words in split for word in words], np.int64
        )
        self.words = list(number)
        # A text begins after a word that is none.
        before = np.concatenate([[len(number)], self.ids[:-1]]).astype(np.int64)
        before[(self.ends - self.lengths)[self.lengths > 0]] = len(number)
        self.before = before[: len(self.ids)]
        order = np.argsort(self.before, kind="stable")
        self.followers = self.ids[order]
        self.counts = np.bincount(self.before, minlength=len(number) + 1)
        self.starts = np.cumsum(self.counts) - self.counts

    def varied(self, random: np.random.Generator) -> list[str]:
        """Each text once, varied."""
        fate = random.random(len(self.ids))
        ids = np.where(fate < 1 - REPLACED, self.ids, self.successors(random))
        kept = fate >= LOST
        texts = [
            _some(ids[end - length : end], kept[end - length : end], random)
            for end, length in zip(self.ends.tolist(), self.lengths.tolist(), strict=True)
        ]
        return self._reshaped(texts, random)

    def successors(self, random: np.random.Generator) -> Ids:
        """For each word another that follows the one before it, as often as it does so."""
        places = np.floor(random.random(len(self.ids)) * self.counts[self.before])
        found: Ids = self.followers[self.starts[self.before] + places.astype(np.int64)]
        return found

    def _reshaped(self, texts: Sequence[Ids], random: np.random.Generator) -> list[str]:
        """Some as a run of their words, some with the end of another text."""
        fates, partners = random.random(len(texts)), random.integers(len(texts), size=len(texts))
        cuts = random.random((len(texts), 3))
        found = []
        for text, fate, partner, (size, at, other) in zip(
            texts, fates.tolist(), partners.tolist(), cuts.tolist(), strict=True
        ):
            if fate < PIECE:
                words = run_of(text, size, at)
            elif fate < PIECE + MIXED:
                end = texts[partner]
                words = np.concatenate([text[: _cut(text, at)], end[_cut(end, other) :]])
            else:
                words = text
            found.append(" ".join([self.words[word] for word in words.tolist()]))
        return found


def run_of(text: Ids, size: float, at: float) -> Ids:
    """1 to `MOST_WORDS` neighbours; `size` and `at` are places in [0, 1)."""
    length = min(len(text), 1 + int(size * MOST_WORDS))
    start = int(at * (len(text) - length + 1))
    return text[start : start + length]


def made_cells(columns: Columns, count: int, seed: int) -> dict[str, Any]:
    """`count` rows of each: every cell is the row's own, or with a chance that of another row."""
    rows = len(next(iter(columns.values())))
    found: dict[str, Any] = {}
    for place, (name, cells) in enumerate(columns.items()):
        random = np.random.default_rng((seed, place))
        rounds = []
        for _ in range(count):
            places = np.arange(rows)
            is_swapped = random.random(rows) < SWAPPED
            places[is_swapped] = random.integers(rows, size=int(is_swapped.sum()))
            rounds.append(taken(cells, places))
        found[name] = appended(rounds)
    return found


MAKERS: dict[str, Maker] = {"text": made_texts, "table": made_cells}
"""By kind of data; rows of other kinds are varied while a model trains."""


def _some(ids: Ids, kept: NDArray[np.bool_], random: np.random.Generator) -> Ids:
    """The words that are kept, one of them where none is."""
    if len(ids) == 0 or kept.any():
        return ids[kept]
    start = int(random.integers(len(ids)))
    return ids[start : start + 1]


def _cut(text: Ids, at: float) -> int:
    """A place between two words, an end included."""
    return int(at * (len(text) + 1))
