"""Encoder of language models: byte pairs of one text, and what is read off its next-token logits.

Byte pair encoding over bytes (Radford et al. 2019, section 2.2): any text is spelt, and comes back
exactly. Shapes: V vocabulary.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from .text import columns_of, texts_of

PAD, END = 0, 1
"""Ids of our own before the tokenizer's: padding, and what stands before and after every text."""
SPECIALS = 2
IGNORED = -100
"""Target of padding: it counts for nothing."""
MOST_TOKENS = 1024
"""Tokens that are read at once: a longer text is scored part by part, and a longer prompt is
remembered by its end."""
Tokens = list[int]
NextLogits = Callable[[dict[str, np.ndarray]], np.ndarray]
"""Tensors of a batch to logits [rows, tokens, V]."""


class BytePairs:
    """Token ids of one text a row, between two ends."""

    names: tuple[str, ...] = ("input_ids",)
    batch_rows = 8
    ragged_axes: tuple[int, ...] = (1,)
    has_ragged_answers = True
    """The graph answers every token, not every row."""

    def __init__(self, columns: Sequence[str], tokenizer: Any) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.columns = tuple(columns)
        self._tokenizer = tokenizer
        pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
        # In the alphabet of byte-level pieces a character stands for a byte.
        self.bytes_V = np.array([0] * SPECIALS + [len(piece) for piece, _ in pieces])

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "BytePairs":
        """From `tokenizer.json` beside the configuration."""
        text = (folder / "tokenizer.json").read_text(encoding="utf-8")
        (column,) = columns_of(config)
        return cls.of(column, text)

    @classmethod
    def of(cls, column: str, tokenizer_json: str) -> "BytePairs":
        """From the text of a `tokenizer.json`."""
        from tokenizers import Tokenizer  # other models do without this package

        return cls((column,), Tokenizer.from_str(tokenizer_json))

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> list[Tokens]:
        """Token ids of each text; ValueError for a cell that is no text."""
        texts = texts_of(columns, self.columns)
        for index, text in enumerate(texts):
            _check_encodes(text, f"column {self.columns[0]!r}, row {index}")
        found = self._tokenizer.encode_batch_fast(texts)
        return [[END, *(piece + SPECIALS for piece in row.ids), END] for row in found]

    def length(self, row: Tokens) -> int:
        """Tokens that a model reads of one row."""
        return len(row) - 1

    def batch(self, rows: Sequence[Tokens]) -> dict[str, np.ndarray]:
        """All tokens but the last, int64 [rows, longest]."""
        return {"input_ids": padded([row[:-1] for row in rows], PAD)}

    def targets(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """The token after each, int64 [rows, longest], of whole rows as `batch` made them."""
        ids = arrays["input_ids"]
        after = np.pad(ids[:, 1:], ((0, 0), (0, 1)))
        return np.where(ids == PAD, IGNORED, np.where(after == PAD, END, after))

    def text(self, tokens: Sequence[int]) -> str:
        """The text of these tokens; bytes that are no character become U+FFFD."""
        return str(self._tokenizer.decode([t - SPECIALS for t in tokens if t >= SPECIALS]))


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a continuation is drawn."""

    max_tokens: int = 64
    temperature: float = 0.8
    """0 takes the likeliest token; 1 draws from the model's own answer."""
    top_k: int = 50
    """Draw among so many of the likeliest; 0: among all."""
    top_p: float = 0.95
    """Draw among the likeliest that have this share together (arXiv:1904.09751); 1: among all."""
    seed: int = 7

    def __post_init__(self) -> None:
        for name, (least, most, whole) in _LIMITS.items():
            value = getattr(self, name)
            number = isinstance(value, Integral if whole else Real)  # numpy's too
            if isinstance(value, bool) or not number or not least <= value <= most:
                kind = "a whole number" if whole else "a number"
                raise ValueError(f"{name} {value!r} must be {kind} from {least:g} to {most:g}")
        if self.top_p == 0:
            raise ValueError("top_p 0 leaves no token, it must be above 0")


_LIMITS = {
    "max_tokens": (1, 4096, True),
    "temperature": (0, 10, False),
    "top_k": (0, 1 << 20, True),
    "top_p": (0, 1, False),
    "seed": (0, (1 << 63) - 1, True),
}


def sampling_of(given: Mapping[str, Any]) -> Sampling:
    """The usual sampling with what was given; ValueError for an unknown name or a bad value."""
    known = [field.name for field in fields(Sampling)]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is unknown, sampling takes {', '.join(known)}")
    return Sampling(**given)


def continuation(
    prompt: Tokens, logits_of: NextLogits, encoder: BytePairs, sampling: Sampling, row: int
) -> Tokens:
    """What may follow a prompt; the same for the same prompt, sampling and place of the row."""
    random = np.random.default_rng((sampling.seed, row))
    read: Tokens = prompt[:-1]
    made: Tokens = []
    for _ in range(sampling.max_tokens):
        arrays = encoder.batch([[*(read + made)[-MOST_TOKENS:], END]])
        token = drawn(logits_of(arrays)[0, -1], sampling, random)
        if token == END:
            break
        made.append(token)
    return made


def drawn(logits_V: np.ndarray, sampling: Sampling, random: np.random.Generator) -> int:
    """The next token."""
    logits_V = logits_V.astype(np.float64)
    logits_V[PAD] = -np.inf
    if sampling.temperature == 0:
        return int(logits_V.argmax())
    chance_V = likely_tokens(logits_V / sampling.temperature, sampling.top_k, sampling.top_p)
    return int(random.choice(len(chance_V), p=chance_V))


def likely_tokens(logits_V: np.ndarray, top_k: int, top_p: float) -> np.ndarray:
    """Probabilities [V], of all but the likeliest tokens zero."""
    chance_V = np.exp(logits_V - logits_V.max())
    chance_V /= chance_V.sum()
    order_V = np.argsort(-chance_V, kind="stable")
    before_V = np.cumsum(chance_V[order_V]) - chance_V[order_V]
    kept = order_V[before_V < top_p][: top_k or None]
    found_V = np.zeros_like(chance_V)
    found_V[kept] = chance_V[kept]
    return np.asarray(found_V / found_V.sum())


def row_sums(
    rows: Sequence[Tokens], logits_of: NextLogits, encoder: BytePairs, batch_rows: int
) -> np.ndarray:
    """float32 [rows, 3]: minus the log likelihood (nats), tokens and bytes of each row.

    The end of a text is a token too, of no bytes.
    """
    windows = [(index, part) for index, row in enumerate(rows) for part in parts_of(row)]
    windows.sort(key=lambda item: len(item[1]))
    sums = np.zeros((len(rows), 3))
    for start in range(0, len(windows), batch_rows):
        owners, parts = zip(*windows[start : start + batch_rows], strict=True)
        targets = padded([part[1:] for part in parts], IGNORED)
        nats, tokens = nats_of(logits_of(encoder.batch(parts)), targets)
        bytes_of = [encoder.bytes_V[part[1:]].sum() for part in parts]
        np.add.at(sums, list(owners), np.stack([nats, tokens, bytes_of], axis=1))
    return sums.astype(np.float32)


def told_tokens(
    row: Tokens, logits_of: NextLogits, encoder: BytePairs
) -> list[tuple[str, int, float]]:
    """Each token of one row after the first: its text, bytes, and minus its log likelihood."""
    found: list[tuple[str, int, float]] = []
    for part in parts_of(row):
        targets_1T = padded([part[1:]], IGNORED)
        each_T = token_nats(logits_of(encoder.batch([part])), targets_1T)[0]
        pieces = [(encoder.text([token]), int(encoder.bytes_V[token])) for token in part[1:]]
        found += [(*piece, float(nats)) for piece, nats in zip(pieces, each_T, strict=True)]
    return found


def nats_of(logits_BTV: np.ndarray, targets_BT: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minus the log likelihood of each row's targets, and how many there are."""
    each_BT = token_nats(logits_BTV, targets_BT)
    return each_BT.sum(axis=1, dtype=np.float64), (targets_BT != IGNORED).sum(axis=1)


def token_nats(logits_BTV: np.ndarray, targets_BT: np.ndarray) -> np.ndarray:
    """Minus the log likelihood of each target, 0 where there is none."""
    here_BT = targets_BT != IGNORED
    most_BT1 = logits_BTV.max(axis=-1, keepdims=True)
    total_BT = np.log(np.exp(logits_BTV - most_BT1).sum(axis=-1)) + most_BT1[..., 0]
    chosen_BT1 = np.where(here_BT, targets_BT, 0)[..., None]
    found_BT = np.take_along_axis(logits_BTV, chosen_BT1, axis=-1)[..., 0]
    return np.asarray((total_BT - found_BT) * here_BT)


def parts_of(row: Tokens) -> Iterator[Tokens]:
    """A row in parts that are read at once; each begins with the token that ended the last."""
    for start in range(0, len(row) - 1, MOST_TOKENS):
        yield row[start : start + MOST_TOKENS + 1]


def padded(rows: Sequence[Sequence[int]], value: int) -> np.ndarray:
    """int64 [rows, longest]."""
    made = np.full((len(rows), max(map(len, rows), default=0)), value, np.int64)
    for index, row in enumerate(rows):
        made[index, : len(row)] = row
    return made


def bits_per_byte(sums_N3: np.ndarray) -> np.ndarray:
    """Of each row, float64 [N]; an empty text has one byte, so that its end costs something."""
    exact = sums_N3.astype(np.float64)
    return np.asarray(exact[:, 0] / math.log(2) / np.maximum(exact[:, 2], 1))


def _check_encodes(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{where}: {text[error.start]!r} is half of a surrogate pair, which is no character"
        ) from error
