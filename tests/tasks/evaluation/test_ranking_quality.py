"""Recommended items looked at: by user and item, coverage, and who is served worst."""

import numpy as np
import pytest

from tasks.data.snapshot import Rows
from tasks.evaluation.ranking_quality import (
    RankJudge,
    coverage_table,
    recall_table,
    worst_served,
)

ITEMS = ("ale", "beer", "cider", "dew", "elder")
TRUTH = np.array([[0, 0], [1, 0], [2, 1], [3, 1], [4, 1], [0, 2]])
"""Item and user of each row: three users with two, three and one events."""
TRAINING = np.array([[0, 0]] * 9 + [[1, 0]] * 5 + [[2, 1]] * 2 + [[3, 1]])


def answers(*items: tuple[int, int]) -> np.ndarray:
    """Two items for each user, on every row of his."""
    two = np.array([items[user] for user in TRUTH[:, 1]], dtype=np.float32)
    return np.concatenate([two, np.full_like(two, 0.4)], axis=1)


RIGHT = answers((0, 1), (2, 3), (0, 1))
WRONG = answers((2, 3), (2, 0), (1, 2))


def test_the_estimate_is_the_mean_over_users() -> None:
    judge = RankJudge(ITEMS)
    assert judge.more_is_better
    whole, half = judge.estimate(RIGHT, TRUTH), judge.estimate(WRONG, TRUTH)
    assert whole is not None
    assert half is not None
    assert whole.value == 1
    assert half.value == pytest.approx((0 + 1 / (1 + 1 / np.log2(3)) + 0) / 3)
    assert judge.estimate(RIGHT[:0], TRUTH[:0]) is None


def test_items_that_went_are_counted_whatever_their_place() -> None:
    swapped = answers((1, 0), (3, 2), (1, 0))
    assert RankJudge(ITEMS).changed(RIGHT, swapped) == 0
    assert RankJudge(ITEMS).changed(RIGHT, WRONG) == pytest.approx((2 * 2 + 3 * 1 + 1) / 12)


def test_slices_are_by_how_often_the_true_item_was_met() -> None:
    (slices,) = RankJudge(ITEMS).slices(TRUTH, TRAINING).values()
    assert slices[0] == slices[5] == "over 5 rows"
    assert slices[1] == slices[2] == slices[3] == "up to 5 rows"
    assert slices[4] == "not in training"


def test_recall_is_told_of_each_slice() -> None:
    table = recall_table({"rows": ["all"] * 6, "who": list("aabbbc")}, WRONG, TRUTH)
    assert table.head[4] == "recall@2"
    lines = {(slicing, name): rest for slicing, name, *rest in table.rows}
    assert lines["rows", "all"][:2] == ["6", "3"]
    assert lines["rows", "all"][3] == "33.3 %"
    assert lines["who", "a"] == ["2", "1", "not applicable", "0.0 %"]


def test_coverage_counts_the_catalogue_and_the_places() -> None:
    firsts = [0, 2, 5]
    table = coverage_table({"good": RIGHT[firsts], "bad": WRONG[firsts]}, TRAINING, len(ITEMS))
    assert table.head[2:] == (
        *("good: items shown", "good: of all answers"),
        *("bad: items shown", "bad: of all answers"),
    )
    lines = {name: rest for name, *rest in table.rows}
    assert lines["whole catalogue"] == ["5", "80.0 %", "100.0 %", "80.0 %", "100.0 %"]
    assert lines["over 5 rows"] == ["1", "100.0 %", "33.3 %", "100.0 %", "16.7 %"]
    assert lines["not in training"] == ["1", "0.0 %", "0.0 %", "0.0 %", "0.0 %"]


def test_the_worst_served_have_most_events_and_nothing_of_them() -> None:
    users = [f"u{user}" for user in TRUTH[:, 1]]
    found = worst_served(Rows({"who": users}, TRUTH, np.arange(6) + 10), WRONG, 2, ITEMS)
    first, second = found
    assert (first.row, first.row_id) == ({"who": "u0"}, 10)
    assert (first.predicted, first.truth) == ("cider, dew", "ale, beer")
    assert (first.truth_word, first.how_wrong) == ("who met", "with NDCG 0.000")
    assert second.row == {"who": "u2"}
