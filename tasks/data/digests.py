"""Rows by a digest of what they ask: 16 bytes a row, whatever the row is made of."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.data.arrow_column import PIECE
from tasks.data.kinds import Kind
from tasks.data.table import Ids

Digests = npt.NDArray[np.uint64]
"""[rows, 2]: the halves of 16 bytes, which compare as the bytes do."""
Places = npt.NDArray[np.float64]


def content_digest(key: str) -> bytes:
    """A short digest of what a row is."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def digests_of(keys: Iterable[str]) -> Digests:
    """The digest of each key."""
    found = bytearray()
    for key in keys:
        found += content_digest(key)
    return np.frombuffer(found, dtype=">u8").reshape(-1, 2).astype(np.uint64)


def row_digests(kind: Kind, columns: Mapping[str, Sequence[Any]], start: str = "") -> Digests:
    """The digest of what each row asks, after the word `start`; few keys are there at one time."""
    count = len(next(iter(columns.values())))
    pieces = [slice(first, first + PIECE) for first in range(0, count, PIECE)]
    keys = (
        f"{start}{key}"
        for piece in pieces
        for key in kind.keys({name: values[piece] for name, values in columns.items()})
    )
    return digests_of(keys)


def numbered(digests: Digests) -> Ids:
    """A number for each row; rows with equal digests share one."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ranked = digests[order]
    is_new = np.concatenate([[False], (ranked[1:] != ranked[:-1]).any(axis=1)])
    numbers = np.empty(len(digests), dtype=np.int64)
    numbers[order] = np.cumsum(is_new)
    return numbers


def times_before(numbers: Ids) -> Ids:
    """How often each number stands before its place."""
    order = np.argsort(numbers, kind="stable")
    is_first = np.diff(numbers[order], prepend=-1) != 0
    places = np.arange(len(numbers))
    found = np.empty_like(places)
    found[order] = places - np.maximum.accumulate(np.where(is_first, places, 0))
    return found


def smallest(digests: Digests, groups: Ids) -> Digests:
    """The smallest digest of each group 0, 1, ..."""
    count = int(groups.max()) + 1 if len(groups) else 0
    highs = np.full(count, np.iinfo(np.uint64).max, dtype=np.uint64)
    lows = highs.copy()
    np.minimum.at(highs, groups, digests[:, 0])
    first = np.flatnonzero(digests[:, 0] == highs[groups])
    np.minimum.at(lows, groups[first], digests[first, 1])
    return np.stack([highs, lows], axis=1)


def seeded_places(digests: Digests, seed: int) -> Places:
    """A number in [0, 1) for each digest, uniform; another seed gives unrelated ones."""
    raw, salt = memoryview(digests.astype(">u8").tobytes()), str(seed).encode()
    places = (
        int.from_bytes(hashlib.blake2b(bytes(raw[at : at + 16]) + salt, digest_size=8).digest())
        for at in range(0, len(raw), 16)
    )
    return np.fromiter((place / 2**64 for place in places), np.float64, len(digests))
