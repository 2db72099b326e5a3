"""What is reported of a language model: where the bits go, and what surprises it most.

Shapes: N rows; answers are [N, 3]: nats, tokens, bytes of each row.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.snapshot import Rows
from tasks.evaluation.html_page import percent
from tasks.evaluation.likelihood import bits_of, text_figures
from tasks.evaluation.probing import Mistake
from tasks.packaging.predictor.language import bits_per_byte
from tasks.quality_artifacts import Estimate, FactTable

Answers = NDArray[Any]
Token = tuple[str, int, float]
"""Piece of text, its bytes, nats."""
Told = Callable[[Mapping[str, Sequence[Any]]], Sequence[Sequence[Token]]]
PLACES = (0, 8, 16, 32, 64, 128, 256)
"""Bytes of the text before a token, at which a new line of the table begins."""
LEAST_BYTES = 20
"""A shorter text is no surprising passage: its end alone makes it dear."""
DEAREST = 20.0
"""Bits of a token that is marked in full colour."""
END = "the end of the text"


@dataclass(frozen=True, slots=True)
class TextJudge:
    """Texts, judged by the bits in which a byte of them is told."""

    metric = "bits_per_byte"
    more_is_better = False

    def estimate(self, found_NC: Answers, truth_N: Answers) -> Estimate | None:
        """Of all rows together, by the bootstrap over rows."""
        del truth_N
        if len(found_NC) < 2:
            return None
        figures, intervals, _ = text_figures(found_NC, np.zeros(0), ())
        low, high = intervals[self.metric]
        return Estimate(value=figures[self.metric], low=low, high=high)

    def changed(self, before_NC: Answers, after_NC: Answers) -> float:
        """Mean difference of the texts' bits per byte."""
        return float(np.abs(bits_per_byte(before_NC) - bits_per_byte(after_NC)).mean())

    def worst(self, found_NC: Answers, truth_N: Answers, count: int) -> NDArray[np.int64]:
        """The texts of most bits per byte, short ones aside."""
        del truth_N
        long = np.flatnonzero(found_NC[:, 2] >= LEAST_BYTES)
        order = np.argsort(-bits_per_byte(found_NC[long]), kind="stable")
        return long[order][:count].astype(np.int64)

    def named(self, found_C: Answers, truth: Any) -> tuple[str, str, str]:
        """What the text takes; there is no truth beside it."""
        del truth
        bits = float(bits_per_byte(found_C[None])[0])
        return "", f"{bits:.3f} bits per byte", f"in {int(found_C[1])} tokens"

    def spoke_for(self, found_C: Answers, without_C: Answers, truth: Any) -> float:
        """Nothing: each token has its own surprise."""
        del found_C, without_C, truth
        return 0.0

    def slices(self, truth_N: Answers, training_N: Answers) -> dict[str, list[str]]:
        """None: a text has no truth beside itself."""
        del truth_N, training_N
        return {}


def language_tables(texts: Mapping[str, Sequence[Any]], told: Told) -> tuple[FactTable, ...]:
    """Bits per byte by place in the text, and by kind of character."""
    rows = told(texts)
    by_place: dict[str, list[Token]] = defaultdict(list)
    by_kind: dict[str, list[Token]] = defaultdict(list)
    for tokens in rows:
        read = 0
        for token in tokens:
            by_kind[kind_of(token)].append(token)
            if token[1]:
                by_place[place_of(read)].append(token)
            read += token[1]
    about = f"{sum(map(len, rows)):,} tokens of {len(rows):,} holdout rows."
    places = [place_of(start) for start in PLACES if place_of(start) in by_place]
    kinds = sorted(by_kind, key=lambda kind: -_nats(by_kind[kind]))
    return (
        _table("Bits per byte by place in the text", "bytes before", about, by_place, places),
        _table("Bits per byte by kind of character", "token of", about, by_kind, kinds),
    )


def place_of(read: int) -> str:
    """`8 to 15 bytes in`: how much of the text stands before."""
    start = max(place for place in PLACES if place <= read)
    later = [place for place in PLACES if place > start]
    return f"{start} to {later[0] - 1}" if later else f"{start} or more"


def kind_of(token: Token) -> str:
    """What a token is made of, by its first character that is no space."""
    text, size, _ = token
    if not size:
        return END
    mark = text.lstrip()[:1]
    if not mark:
        return "space alone"
    if "\ufffd" in text:
        return "part of a character"
    if mark.isalpha():
        begins = "a word's beginning" if text[:1].isspace() else "a word's inside, or a first word"
        return begins if mark.isascii() else "letters beyond English"
    return "digits" if mark.isdigit() else "punctuation and signs"


def surprising(rows: Rows, found: Answers, count: int, told: Told) -> list[Mistake]:
    """The texts of most bits per byte, each token with its own surprise."""
    judge = TextJudge()
    usual = float(bits_of(found[:, 0].astype(np.float64), found[:, 2].astype(np.float64)))
    worst = judge.worst(found, rows.labels, count)
    chosen = rows.take(worst)
    made = []
    for index, tokens in enumerate(told(chosen.columns) if len(worst) else ()):
        _, bits, size = judge.named(found[worst[index]], None)
        parts = [(text or "end", _share(nats)) for text, _, nats in tokens]
        row = {name: values[index] for name, values in chosen.columns.items()}
        row_id = int(chosen.row_ids[index])
        made.append(Mistake(row_id, row, f"{usual:.3f}", bits, size, parts, "of all texts"))
    return made


def _share(nats: float) -> float:
    return min(1.0, nats / math.log(2) / DEAREST)


def _nats(tokens: Sequence[Token]) -> float:
    return sum(nats for _, _, nats in tokens)


def _table(
    title: str, what: str, about: str, groups: Mapping[str, Sequence[Token]], order: Sequence[str]
) -> FactTable:
    whole = sum(map(_nats, groups.values()))
    lines = []
    for name in order:
        tokens = groups[name]
        size, bits = sum(size for _, size, _ in tokens), _nats(tokens) / math.log(2)
        per_byte = f"{bits / size:.3f}" if size else "-"
        share = percent(_nats(tokens) / whole) if whole else "-"
        lines.append((name, f"{len(tokens):,}", per_byte, f"{bits / len(tokens):.2f}", share))
    head = (what, "tokens", "bits per byte", "bits per token", "of all bits")
    return FactTable(title=title, about=about, head=head, rows=tuple(lines))
