"""Which of two recommends better: users are drawn, and a tie proves nothing."""

import numpy as np
import pytest

from tasks.promotion.config import GatePolicy
from tasks.promotion.recommending import ndcg_difference

POLICY = GatePolicy(metric="ndcg")
RANDOM = np.random.default_rng(3)
USERS, EVENTS, ITEMS, TOP = 80, 4, 30, 5
TRUTH = np.stack(
    [RANDOM.integers(0, ITEMS, USERS * EVENTS), np.repeat(np.arange(USERS), EVENTS)], axis=1
)


def answers(share_found: float) -> np.ndarray:
    """For each user, his items with this chance at the first places."""
    places = np.empty((USERS, TOP), np.float32)
    for user in range(USERS):
        mine = TRUTH[TRUTH[:, 1] == user, 0][RANDOM.random(EVENTS) < share_found]
        others = RANDOM.permutation(ITEMS)
        places[user] = list(dict.fromkeys([*mine, *others]))[:TOP]
    shares = np.tile(np.linspace(0.5, 0.1, TOP, dtype=np.float32), (USERS, 1))
    return np.repeat(np.concatenate([places, shares], axis=1), EVENTS, axis=0)


GOOD, POOR = answers(0.8), answers(0.1)


def test_the_better_one_is_proven_and_the_other_way_round() -> None:
    there, back = (ndcg_difference(TRUTH, *pair, POLICY) for pair in ((GOOD, POOR), (POOR, GOOD)))
    assert 0 < there.low < there.value < there.high
    assert back.value == pytest.approx(-there.value)
    assert (there.metric, there.rows) == ("ndcg", USERS * EVENTS)
    assert str(there).startswith("ndcg +0.")


def test_the_same_seed_gives_the_same_interval() -> None:
    assert ndcg_difference(TRUTH, GOOD, POOR, POLICY) == ndcg_difference(TRUTH, GOOD, POOR, POLICY)


def test_a_tie_is_no_difference() -> None:
    found = ndcg_difference(TRUTH, GOOD, GOOD, POLICY)
    assert (found.low, found.value, found.high, found.changed_rows) == (0, 0, 0, 0)


def test_the_interval_covers_users_not_events() -> None:
    """The same users with every event written ten times are no more evidence."""
    many = [np.repeat(each, 10, axis=0) for each in (TRUTH, GOOD, POOR)]
    once, often = ndcg_difference(TRUTH, GOOD, POOR, POLICY), ndcg_difference(*many, POLICY)
    assert (once.low, once.high) == (often.low, often.high)


def test_a_catalogue_may_have_been_smaller_than_what_is_asked_for() -> None:
    """A champion that answers all of its four items, beside a candidate that answers five."""
    fewer = np.concatenate([POOR[:, : TOP - 1], POOR[:, TOP:-1]], axis=1)
    found = ndcg_difference(TRUTH, GOOD, fewer, POLICY)
    whole = ndcg_difference(TRUTH, GOOD, POOR, POLICY)
    assert found.value == pytest.approx(whole.value, abs=0.05)
    assert found.low > 0
    assert ndcg_difference(TRUTH, POOR, fewer, POLICY).changed_rows == 0


@pytest.mark.parametrize(
    ("truth", "first", "sentence"),
    [
        (TRUTH[:8], GOOD, "8 events, 320 and 320 answers: a paired comparison needs the same rows"),
        (np.zeros((320, 2), int), GOOD, "1 users in the holdout: a comparison needs at least 2"),
    ],
    ids=["other rows", "one user"],
)
def test_what_cannot_be_compared(truth: np.ndarray, first: np.ndarray, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ndcg_difference(truth, first, POOR, POLICY)
