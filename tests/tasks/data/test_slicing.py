"""Values into slices: every row in one, cut points from training."""

from collections import Counter

import numpy as np
import pytest

from tasks.data.slicing import sliced_by_size, sliced_by_value


def test_each_slice_of_a_size_has_a_third_of_the_training_rows() -> None:
    lengths = list(range(1, 31))
    names = sliced_by_size(lengths, lengths, "words")
    assert Counter(names) == {"up to 10 words": 10, "over 10 to 20 words": 10, "over 20 words": 10}


def test_the_training_rows_cut_not_the_holdout() -> None:
    assert set(sliced_by_size([100, 200, 300], list(range(1, 31)), "words")) == {"over 20 words"}


@pytest.mark.parametrize(
    ("training", "names"),
    [([4, 4, 4], {"all words"}), ([1, 1, 1, 9], {"up to 1 words", "over 1 words"})],
    ids=["one size", "two sizes"],
)
def test_few_sizes_give_few_slices(training: list[int], names: set[str]) -> None:
    assert set(sliced_by_size(training, training, "words")) == names


def test_a_missing_number_is_a_slice_of_its_own() -> None:
    values = [None, *map(float, range(20))]
    names = sliced_by_value(values, values)
    assert names[0] == "missing"
    assert len(set(names)) == 4


def test_words_beyond_the_most_frequent_are_one_slice() -> None:
    training = [f"w{i % 20}" for i in range(200)] + ["often"] * 50
    names = sliced_by_value(["often", "w0", "w19", "new", None], training)
    assert names[0] == "often"
    assert names[3] == "other values"
    assert names[4] == "missing"
    assert len(set(sliced_by_value(training, training))) == 9


def test_few_numbers_are_their_own_slices() -> None:
    assert sliced_by_value([1.0, 2.0, 2.0], [1.0, 2.0]) == ["1", "2", "2"]


def test_no_row_is_lost() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=500).tolist()
    assert len(sliced_by_value(values, values[:100])) == 500
