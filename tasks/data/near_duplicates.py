"""Groups of texts that are nearly the same, by MinHash and locality-sensitive hashing.

Broder 1997, "On the resemblance and containment of documents"; banding as in Leskovec, Rajaraman
and Ullman, "Mining of Massive Datasets", section 3.4. Worked out over whole arrays: about 20 times
as fast as datasketch's objects, in a fifth of the memory
(tests/benchmarks/2026-11-21_prepare_data.md).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint32]

SHINGLE = 5
"""Characters of one shingle."""
PERMUTATIONS = 128
BANDS = 32
"""Of 4 hashes each: a pair at Jaccard 0.7 is missed once in 6,000."""
THRESHOLD = 0.7
"""Estimated Jaccard similarity (standard error 0.04) from which two texts count as the same."""
NEIGHBOURS = 8
"""Texts that share a band are compared with the next ones only, so a huge band stays linear."""
PIECE = 1000
"""Texts that are shingled at once; keeps memory flat."""


def near_duplicate_groups(texts: Sequence[str]) -> Ids:
    """A group number for each text; texts that are equal or similar, also by a chain, share one.

    The grouping depends on which texts there are, not on their order.
    """
    distinct = sorted(set(texts))
    signatures = np.concatenate([_signatures(piece) for piece in _pieces(distinct)])
    left, right = _similar_pairs(signatures)
    # For who has texts to group: every command imports this module, and this takes a quarter of it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(distinct)
    graph = coo_array((np.ones(len(left), dtype=np.bool_), (left, right)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    group_of = dict(zip(distinct, component.tolist(), strict=True))
    return np.fromiter((group_of[text] for text in texts), dtype=np.int64, count=len(texts))


def _pieces(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + PIECE] for start in range(0, len(texts), PIECE))


def _signatures(texts: Sequence[str]) -> Hashes:
    """[texts, PERMUTATIONS]: the smallest hash of each text's shingles under each permutation."""
    hashes, starts = _shingles([text.ljust(SHINGLE) for text in texts])
    rng = np.random.default_rng(0)
    # An odd factor makes x -> factor * x + term a bijection of the 32-bit numbers (wraps around).
    factors = rng.integers(0, 1 << 31, PERMUTATIONS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    terms = rng.integers(0, 1 << 32, PERMUTATIONS, dtype=np.uint32)
    signatures = np.empty((len(texts), PERMUTATIONS), dtype=np.uint32)
    for k in range(PERMUTATIONS):
        signatures[:, k] = np.minimum.reduceat(hashes * factors[k] + terms[k], starts)
    return signatures


def _shingles(texts: Sequence[str]) -> tuple[Hashes, Ids]:
    """Hashes of all shingles, one text after the other, and where each text begins among them."""
    characters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    windows = len(characters) - SHINGLE + 1
    hashes = np.zeros(windows, dtype=np.uint32)
    for k in range(SHINGLE):
        hashes = hashes * np.uint32(0x01000193) + _mixed(characters[k : k + windows])
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    inside = np.ones(len(characters), dtype=np.bool_)
    for k in range(1, SHINGLE):  # windows that would reach into the next text
        inside[np.cumsum(lengths) - k] = False
    counts = lengths - SHINGLE + 1
    return _mixed(hashes[inside[:windows]]), np.cumsum(counts) - counts


def _mixed(values: Hashes) -> Hashes:
    """The finalizer of MurmurHash3: a bijection that spreads neighbours over all 32 bits."""
    values = values ^ (values >> np.uint32(16))
    values = values * np.uint32(0x85EBCA6B)
    values = values ^ (values >> np.uint32(13))
    values = values * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))


def _similar_pairs(signatures: Hashes) -> tuple[Ids, Ids]:
    """Pairs that share a band and whose signatures agree in at least `THRESHOLD` of the places."""
    count = len(signatures)
    pairs = np.unique(np.concatenate([_candidates(band) for band in _bands(signatures)]))
    left, right = pairs // count, pairs % count
    alike = (signatures[left] == signatures[right]).mean(axis=1) >= THRESHOLD
    return left[alike], right[alike]


def _bands(signatures: Hashes) -> Iterator[npt.NDArray[np.uint64]]:
    """One key a text, of each band in turn."""
    for band in np.split(signatures, BANDS, axis=1):
        key = np.zeros(len(band), dtype=np.uint64)
        for column in band.T:
            key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
        yield key


def _candidates(keys: npt.NDArray[np.uint64]) -> Ids:
    """Pairs (as left * count + right) of texts with the same key, each with its next neighbours."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    found = [np.empty(0, dtype=np.int64)]
    for step in range(1, NEIGHBOURS + 1):
        same = ranked[step:] == ranked[:-step]
        found.append(order[:-step][same] * len(keys) + order[step:][same])
    return np.concatenate(found)
