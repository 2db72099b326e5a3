"""The n-gram model against the formulas, a token at a time, and against a computation by hand."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from models.build import build_model
from tasks.evaluation.kneser_ney import cuckoo_halves, discount_of, kneser_ney, next_prime
from tasks.packaging.predictor.language import END, PAD

ROWS = [[1, 2, 3, 2, 3, 1], [1, 2, 3, 4, 1], [1, 2, 4, 4, 1]]
SIZE = 6


def model_of(rows: list[list[int]], order: int) -> torch.nn.Module:
    single, orders = kneser_ney(rows, SIZE, order)
    tables = [cuckoo_halves(*found) for found in orders]
    slots = [(len(table["keys_a"]), len(table["keys_b"])) for table in tables]
    model = build_model("ngram_language", {"vocab_size": SIZE, "end_id": END, "slots": slots})
    weights = {
        f"orders.{i}.{n}": half for i, table in enumerate(tables) for n, half in table.items()
    }
    model.load_state_dict({"single": torch.from_numpy(single).float(), **weights})
    return model


def by_definition(rows: list[list[int]], context: tuple[int, ...], token: int, top: bool) -> float:
    """Chen and Goodman's equations, by counting."""
    order = len(context) + 1
    longest = 3
    grams: Counter[tuple[int, ...]] = Counter()
    for row in rows:
        padded = [END] * (longest - 2) + row
        grams.update(tuple(padded[i : i + longest]) for i in range(len(padded) - longest + 1))
    for _ in range(longest, order, -1):  # continuation counts
        grams = Counter(gram[1:] for gram in grams)
    assert top == (order == longest)
    counts = grams.values()
    once, twice = sum(c == 1 for c in counts), sum(c == 2 for c in counts)
    discount = once / (once + 2 * twice) if once and twice else 0.5
    here = {gram: count for gram, count in grams.items() if gram[:-1] == context}
    if not context:
        total = sum(here.values())
        found = {g[0]: max(c - discount, 0) / total for g, c in here.items()}
        rest = (1 - sum(found.values())) / (SIZE - 1)
        return found.get(token, 0.0) + (rest if token != PAD else 0.0)
    shorter = by_definition(rows, context[1:], token, False)
    if not here:
        return shorter
    total = sum(here.values())
    share = max(here.get((*context, token), 0) - discount, 0) / total
    rest = 1 - sum(max(c - discount, 0) for c in here.values()) / total
    return share + rest * shorter


@pytest.mark.parametrize("context", [(1, 2), (2, 3), (3, 4), (5, 5), (4, 2), (1, 1)], ids=str)
def test_every_answer_is_that_of_the_equations(context: tuple[int, int]) -> None:
    found = model_of(ROWS, 3)(torch.tensor([context]))[0, -1].exp()
    expected = [by_definition(ROWS, context, token, top=True) for token in range(SIZE)]
    # Before the first token of a row stands an end, before that another.
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def test_answers_sum_to_one_after_any_tokens_and_padding_never_follows() -> None:
    ids = torch.from_numpy(np.random.default_rng(1).integers(1, SIZE, (40, 12)))
    likely = model_of(ROWS, 3)(ids).exp()
    assert likely.sum(-1) == pytest.approx(1, abs=1e-5)
    assert likely[..., PAD].max() < 1e-20
    assert likely[..., 1:].min() > 0


def test_a_bigram_model_by_hand() -> None:
    """Rows `a b`, `a b` and `b`, a = 2, b = 3: five bigrams, of which (END, b) was seen once."""
    rows = [[1, 2, 3, 1], [1, 2, 3, 1], [1, 3, 1]]
    # Bigrams: END a 2, a b 2, b END 3, END b 1: one seen once, two seen twice, discount 1 / 5.
    assert discount_of(np.array([2, 2, 3, 1])) == pytest.approx(0.2)
    # Before a stands END alone, before b stand a and END, before END stands b: counts 1, 2, 1.
    # Two once, one twice: discount 2 / 4. Shares 0.5 / 4, 1.5 / 4, 0.5 / 4; 1.5 / 4 over five.
    single = {2: 0.125 + 0.075, 3: 0.375 + 0.075, 1: 0.125 + 0.075, 4: 0.075, 5: 0.075}
    found = model_of(rows, 2)(torch.tensor([[1, 2, 3, 4]]))[0].exp()
    rest = 0.4 / 3
    after_end = {2: 1.8 / 3 + rest * single[2], 3: 0.8 / 3 + rest * single[3], 1: rest * single[1]}
    for token, expected in after_end.items():
        assert float(found[0, token]) == pytest.approx(expected, abs=1e-6)
    assert float(found[1, 3]) == pytest.approx(0.9 + 0.1 * single[3], abs=1e-6)
    assert float(found[3, 2]) == pytest.approx(single[2], abs=1e-6)


@pytest.mark.parametrize(("least", "prime"), [(2, 2), (8, 11), (90, 97), (1000, 1009)])
def test_primes(least: int, prime: int) -> None:
    assert next_prime(least) == prime


def test_a_longer_order_tells_a_learned_row_in_fewer_bits() -> None:
    row = torch.tensor([ROWS[0]])
    losses = []
    for order in (2, 3):
        log = model_of(ROWS, order)(row[:, :-1])
        losses.append(-float(log.gather(-1, row[:, 1:, None]).sum()))
    assert losses[1] < losses[0] < 5 * math.log(SIZE)
