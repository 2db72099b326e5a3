"""The floor for language: an interpolated Kneser-Ney n-gram model over learned word pieces.

Kneser and Ney 1995; the interpolated form and the discount are Chen and Goodman's (1999, sections
2.7 and 4.1). The longest n-grams count occurrences, shorter ones the different tokens before them.
Shapes: M n-grams, V vocabulary.
"""

from collections.abc import Iterable, Sequence
from itertools import count
from math import isqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import Rows
from tasks.evaluation.fitted import Baseline
from tasks.packaging.predictor.language import END, PAD, BytePairs
from tasks.packaging.predictor.text import texts_of
from tasks.training.learned_vocabulary import byte_vocabulary

ORDER, PIECES = 3, 4000
ROOMS = 1.0, 1.4
"""Slots of each half of a cuckoo table for one key. Together two are too few; and of halves nearly
alike, keys that stand side by side in one would do so in the other."""
MOST_MOVES = 500
Keys = NDArray[np.int64]
Numbers = NDArray[np.float64]


def fit_kneser_ney(rows: Rows, dataset: DatasetRef) -> Baseline:
    """A trigram model of the training rows."""
    texts = texts_of(rows.columns, dataset.inputs)
    tokenizer_json, size = byte_vocabulary(texts, PIECES)
    encoder = BytePairs.of(dataset.inputs[0], tokenizer_json)
    single, orders = kneser_ney(encoder.rows({dataset.inputs[0]: texts}), size, ORDER)
    tables = [cuckoo_halves(keys, values) for keys, values in orders]
    weights = {"single": torch.from_numpy(single).float()}
    for index, table in enumerate(tables):
        weights |= {f"orders.{index}.{name}": half for name, half in table.items()}
    slots = [(len(table["keys_a"]), len(table["keys_b"])) for table in tables]
    return Baseline(
        name="kneser-ney-trigram",
        family="ngram_language",
        config={"vocab_size": size, "end_id": END, "slots": slots},
        encoder={"kind": "byte_pairs", "columns": list(dataset.inputs)},
        encoder_files={"tokenizer.json": tokenizer_json.encode()},
        weights=weights,
    )


def kneser_ney(
    rows: Iterable[Sequence[int]], size: int, order: int
) -> tuple[Numbers, list[tuple[Keys, Numbers]]]:
    """Probabilities of single tokens [V]; for each longer order, keys and numbers of its n-grams.

    An n-gram's number is its discounted share; under the token `size` a context keeps what is left
    for the shorter one. Keys are those of `models.ngram_language`.
    """
    grams = np.concatenate([ngrams_of(row, order) for row in rows])
    found: list[tuple[Keys, Numbers]] = []
    kept, counts = np.unique(grams, axis=0, return_counts=True)
    while kept.shape[1] > 1:
        found.insert(0, discounted(kept, counts, size))
        kept, counts = np.unique(kept[:, 1:], axis=0, return_counts=True)
    discount = discount_of(counts)
    single = np.zeros(size)
    single[kept[:, 0]] = np.maximum(counts - discount, 0) / counts.sum()
    # What is left goes to all tokens alike; padding never stands in a text.
    others = np.arange(size) != PAD
    single[others] += (1 - single.sum()) / others.sum()
    return single, found


def ngrams_of(row: Sequence[int], order: int) -> Keys:
    """Each token but the first with those before it, [M, order]; ends stand before the row."""
    padded = np.array([END] * (order - 2) + list(row), dtype=np.int64)
    return np.lib.stride_tricks.sliding_window_view(padded, order)


def discounted(grams: Keys, counts: Keys, size: int) -> tuple[Keys, Numbers]:
    """Keys and shares of n-grams [M, order], then of their contexts with what those leave over."""
    contexts, place, kinds = np.unique(
        context_keys(grams[:, :-1], size), return_inverse=True, return_counts=True
    )
    totals = np.bincount(place, weights=counts)
    discount = discount_of(counts)
    shares = np.maximum(counts - discount, 0) / totals[place]
    left = 1 - np.bincount(place, weights=shares)
    assert kinds.sum() == len(grams), "each n-gram stands once"
    keys = contexts[place] * (size + 1) + grams[:, -1]
    return np.concatenate([keys, contexts * (size + 1) + size]), np.concatenate([shares, left])


def context_keys(contexts: Keys, size: int) -> Keys:
    """One number for each context [M, tokens]: its newest token counts one, the others more."""
    powers = size ** np.arange(contexts.shape[1], dtype=np.int64)[::-1]
    return np.asarray(contexts @ powers)


def discount_of(counts: Keys) -> float:
    """Chen and Goodman's estimate from how many n-grams were seen once and twice."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return once / (once + 2 * twice) if once and twice else 0.5


def cuckoo_halves(keys: Keys, values: Numbers) -> dict[str, Tensor]:
    """The tensors of a `CuckooTable` that holds these numbers."""
    slots = [next_prime(int(room * len(keys)) + 8) for room in ROOMS]
    while (placed := _placed(keys.tolist(), (slots[0], slots[1]))) is None:
        slots = [next_prime(int(1.1 * size)) for size in slots]
    halves: dict[str, Tensor] = {}
    value_of = dict(zip(keys.tolist(), values.tolist(), strict=True))
    for half, taken in zip("ab", placed, strict=True):
        halves[f"keys_{half}"] = torch.tensor(taken)
        halves[f"values_{half}"] = torch.tensor([value_of.get(key, 0.0) for key in taken])
    return halves


def _placed(keys: Sequence[int], slots: tuple[int, int]) -> list[list[int]] | None:
    """The key in each slot of both halves, -1 where there is none; None when some found none."""
    taken = [[-1] * size for size in slots]
    for key in keys:
        half = 0
        for _ in range(MOST_MOVES):
            slot = key % slots[half]
            key, taken[half][slot] = taken[half][slot], key  # whoever stood there moves on
            if key < 0:
                break
            half = 1 - half
        else:
            return None
    return taken


def next_prime(least: int) -> int:
    """The first prime that is not below `least`."""
    return next(n for n in count(least) if all(n % i for i in range(2, isqrt(n) + 1)))
