"""Encoders of text: word pieces, hashed n-grams, TF-IDF.

All three return `input_ids` and `attention_mask`; for the bags the mask holds each term's weight.
Several columns are read as one text, in order, with a separator between them.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

NAMES = ("input_ids", "attention_mask")
BATCH_ROWS = 8
"""The fastest for a transformer on one core: at 64 its activations leave the cache, and a row costs
half as much again."""
SEPARATOR = " | "
"""Between the texts of several columns; to the bags of n-grams a term of its own."""
SEPARATOR_TOKENS = ("[SEP]", "</s>")
"""What a pretrained tokenizer puts between two texts (arXiv:1810.04805, section 3)."""


class WordPiece:
    """Sub-words by the tokenizer that a pretrained model came with."""

    names: tuple[str, ...] = NAMES
    batch_rows = BATCH_ROWS
    ragged_axes: tuple[int, ...] = (1,)

    def __init__(self, columns: Sequence[str], max_length: int, tokenizer: Any) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length)
        self.columns = tuple(columns)
        self._tokenizer = tokenizer
        self._pad = tokenizer.token_to_id("[PAD]") or 0
        known = (token for token in SEPARATOR_TOKENS if tokenizer.token_to_id(token) is not None)
        self._separator = f" {next(known, SEPARATOR.strip())} "

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "WordPiece":
        """From `tokenizer.json` beside the configuration."""
        from tokenizers import Tokenizer  # the bags do without this package

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return cls(columns_of(config), config["max_length"], tokenizer)

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> list[list[int]]:
        """Token ids of each text, special tokens included."""
        texts = texts_of(columns, self.columns, self._separator)
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]

    def length(self, row: list[int]) -> int:
        """Tokens of one row."""
        return len(row)

    def batch(self, rows: Sequence[list[int]]) -> dict[str, np.ndarray]:
        """int64 [rows, longest]; the mask is 1 where a token stands."""
        if len(rows) == 1:
            ids = np.array([rows[0]], dtype=np.int64)
            return {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        shape = (len(rows), max(map(len, rows), default=0))
        ids, mask = np.full(shape, self._pad, np.int64), np.zeros(shape, np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        return {"input_ids": ids, "attention_mask": mask}


class HashedNgrams:
    """Words, runs of words and pieces of words, hashed into a fixed number of buckets.

    The sub-word pieces follow fastText (Bojanowski et al. 2017, arXiv:1607.04606); CRC-32 stands in
    for its FNV because the standard library computes it in C.
    """

    names: tuple[str, ...] = NAMES
    batch_rows = BATCH_ROWS
    ragged_axes: tuple[int, ...] = (1,)
    _WORD = re.compile(r"\w+|[^\w\s]+")

    def __init__(
        self,
        columns: Sequence[str],
        buckets: int,
        words: tuple[int, int],
        chars: tuple[int, int],
        limit: int,
    ) -> None:
        self.columns = tuple(columns)
        self._buckets, self._words, self._chars, self._limit = buckets, words, chars, limit
        # Words repeat (Zipf): with the cache a tweet costs a third of hashing it anew.
        self._pieces = lru_cache(maxsize=1 << 16)(self._hash_pieces)

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "HashedNgrams":
        """From the configuration alone; no file is read from `folder`."""
        del folder
        (shortest, longest), (least, most) = config["word_ngrams"], config["char_ngrams"]
        limit = config.get("max_length", 1024)
        names, buckets = columns_of(config), config["buckets"]
        return cls(names, buckets, (shortest, longest), (least, most), limit)

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> list[np.ndarray]:
        """Bucket ids of each text, int64, never empty: a text without a word is bucket 0."""
        return [self._ids(text) for text in texts_of(columns, self.columns)]

    def length(self, row: np.ndarray) -> int:
        """N-grams of one row."""
        return len(row)

    def batch(self, rows: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Ids int64 and weights float32 (1 for an n-gram, 0 for padding), [rows, longest]."""
        if len(rows) == 1:
            ids = rows[0][None, :]
            return {"input_ids": ids, "attention_mask": np.ones(ids.shape, np.float32)}
        return _padded([(row, np.float32(1)) for row in rows])

    def _ids(self, text: str) -> np.ndarray:
        words = [word.encode() for word in self._WORD.findall(text.lower())]
        ids: list[int] = []
        for word in words:
            ids += self._pieces(word)
        shortest, longest = self._words
        for size in range(max(2, shortest), longest + 1):
            runs = zip(*(words[start:] for start in range(size)), strict=False)
            ids += [crc32(b" ".join(run)) % self._buckets for run in runs]
        return np.array(ids[: self._limit] or [0], dtype=np.int64)

    def _hash_pieces(self, word: bytes) -> list[int]:
        least, most = self._chars
        marked = f"<{word.decode()}>"
        pieces = {
            marked[start : start + size]
            for size in range(least, most + 1)
            for start in range(len(marked) - size + 1)
        }
        terms = ([word] if self._words[0] == 1 else []) + sorted(p.encode() for p in pieces)
        return [crc32(term) % self._buckets for term in terms]


class Tfidf:
    """Words and pairs of words by TF-IDF: sublinear counts, unit length.

    The arithmetic of scikit-learn's TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).
    """

    names: tuple[str, ...] = NAMES
    batch_rows = BATCH_ROWS
    ragged_axes: tuple[int, ...] = (1,)
    _WORD = re.compile(r"(?u)\b\w\w+\b")

    def __init__(self, columns: Sequence[str], terms: Sequence[str], idf: Sequence[float]) -> None:
        self.columns = tuple(columns)
        self._term_ids = {term: index for index, term in enumerate(terms)}
        self._idf = list(idf)

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "Tfidf":
        """From `vocabulary.json` beside the configuration."""
        vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        return cls(columns_of(config), vocabulary["terms"], vocabulary["idf"])

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> list[tuple[np.ndarray, np.ndarray]]:
        """(term ids int64, weights float32) of each text; one of weight 0 when none is known."""
        return [self._row(text) for text in texts_of(columns, self.columns)]

    def length(self, row: tuple[np.ndarray, np.ndarray]) -> int:
        """Known terms of one row."""
        return len(row[0])

    def batch(self, rows: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
        """Ids int64 and weights float32, [rows, longest]."""
        if len(rows) == 1:
            return {"input_ids": rows[0][0][None, :], "attention_mask": rows[0][1][None, :]}
        return _padded(rows)

    def _row(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        words = self._WORD.findall(text.lower())
        terms = words + [f"{first} {second}" for first, second in pairwise(words)]
        known = Counter(self._term_ids[term] for term in terms if term in self._term_ids)
        if not known:
            return np.zeros(1, np.int64), np.zeros(1, np.float32)
        weights = [self._idf[term] * (1 + math.log(count)) for term, count in known.items()]
        norm = math.sqrt(math.fsum(weight * weight for weight in weights))
        ids = np.fromiter(known, np.int64, len(known))
        return ids, (np.array(weights) / norm).astype(np.float32)


def columns_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that an encoder reads; bundles from before there were several name one."""
    return tuple(config["columns"]) if "columns" in config else (config["column"],)


def texts_of(
    columns: Mapping[str, Sequence[Any]], names: Sequence[str], separator: str = SEPARATOR
) -> list[str]:
    """The text of each row, its columns joined; ValueError names the first cell that is none.

    A cell may be missing, None or NaN, where there are several columns: it is an empty text.
    """
    parts = [_texts_of_one(columns, name, may_miss=len(names) > 1) for name in names]
    return (
        parts[0] if len(parts) == 1 else [separator.join(row) for row in zip(*parts, strict=True)]
    )


def _texts_of_one(
    columns: Mapping[str, Sequence[Any]], column: str, *, may_miss: bool
) -> list[str]:
    if column not in columns:
        raise ValueError(f"column {column!r} is missing; found {', '.join(map(str, columns))}")
    texts = list(columns[column])
    for index, text in enumerate(texts):
        # NaN alone differs from itself.
        if may_miss and (text is None or text != text):  # noqa: PLR0124
            texts[index] = ""
        elif not isinstance(text, str):
            raise ValueError(f"column {column!r}, row {index}: {text!r} must be a text")
    return texts


def _padded(rows: Sequence[tuple[np.ndarray, Any]]) -> dict[str, np.ndarray]:
    """Padding is id 0 with weight 0."""
    shape = (len(rows), max((len(ids) for ids, _ in rows), default=0))
    all_ids, all_weights = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
    for index, (ids, weights) in enumerate(rows):
        all_ids[index, : len(ids)] = ids
        all_weights[index, : len(ids)] = weights
    return {"input_ids": all_ids, "attention_mask": all_weights}
