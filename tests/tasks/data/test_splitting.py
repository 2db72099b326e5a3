"""The same row always lies on the same side; groups stay whole; every class stands everywhere."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data.digests import digests_of
from tasks.data.split_config import SplitConfig
from tasks.data.splitting import SPLITS, split_rows

CONFIG = SplitConfig(valid=0.1, test=0.2, seed=7)


def sides_by_key(
    keys: list[str], labels: list[str], config: SplitConfig = CONFIG
) -> dict[str, int]:
    """Every row a group of its own."""
    sides = split_rows(digests_of(keys), np.arange(len(keys)), labels, config, "label")
    return dict(zip(keys, sides.tolist(), strict=True))


def labels_of(keys: list[str]) -> list[str]:
    return ["even" if len(key) % 2 == 0 else "odd" for key in keys]


ENOUGH = [f"row {number:0{3 + number % 2}}" for number in range(300)]


@settings(max_examples=40, deadline=None)
@given(added=st.lists(st.text(max_size=10), unique=True, max_size=50), rng=st.randoms())
def test_the_same_row_lies_on_the_same_side(added: list[str], rng: random.Random) -> None:
    before = sides_by_key(ENOUGH, labels_of(ENOUGH))
    keys = ENOUGH + [f"new {key}" for key in added]
    rng.shuffle(keys)
    after = sides_by_key(keys, labels_of(keys))
    assert {key: after[key] for key in ENOUGH} == before


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 60), min_size=200, max_size=300), st.integers(0, 2**40), st.booleans()
)
def test_a_group_is_never_divided(groups: list[int], seed: int, stratify: bool) -> None:
    keys = [f"row {number}" for number in range(len(groups))]
    config = SplitConfig(seed=seed, stratify=stratify)
    try:
        sides = split_rows(digests_of(keys), np.array(groups), labels_of(keys), config, "label")
    except ValueError:
        return
    pairs = set(zip(groups, sides.tolist(), strict=True))
    assert len(pairs) == len(set(groups))


@settings(max_examples=15, deadline=None)
@given(st.integers(-(2**70), 2**70), st.floats(0.05, 0.3), st.floats(0.05, 0.3))
def test_shares_are_near_those_asked_for(seed: int, valid: float, test: float) -> None:
    keys = [f"row {number}" for number in range(3000)]
    sides = sides_by_key(keys, labels_of(keys), SplitConfig(valid=valid, test=test, seed=seed))
    counts = Counter(sides.values())
    for split, share in (("valid", valid), ("test", test)):
        # Five standard deviations of a binomial share.
        allowed = 5 * (share * (1 - share) / 3000) ** 0.5
        assert abs(counts[SPLITS.index(split)] / 3000 - share) < allowed


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**40), st.lists(st.integers(8, 300), min_size=2, max_size=4), st.randoms())
def test_strata_are_divided_by_exactly_the_shares(
    seed: int, sizes: list[int], rng: random.Random
) -> None:
    rows = [(f"{label} {n}", str(label)) for label, size in enumerate(sizes) for n in range(size)]
    config = SplitConfig(valid=0.15, test=0.2, seed=seed, stratify=True)
    found = []
    for _ in range(2):
        rng.shuffle(rows)
        found.append(sides_by_key([key for key, _ in rows], [label for _, label in rows], config))
    assert found[0] == found[1], "the order of rows says nothing"
    counts = Counter((label, found[0][key]) for key, label in rows)
    for label, size in enumerate(sizes):
        for side, share in ((1, 0.15), (2, 0.2)):
            assert abs(counts[str(label), side] - share * size) < 1.001
            assert counts[str(label), side] > 0


def test_strata_keep_their_groups_and_the_holdout_its_rows() -> None:
    keys, groups = [f"row {n}" for n in range(400)], np.repeat(np.arange(100), 4)
    labels = ["rare" if group % 10 == 0 else "common" for group in groups]
    before, after = (
        split_rows(
            digests_of(keys),
            groups,
            labels,
            SplitConfig(valid=valid, test=0.2, stratify=True),
            "label",
        )
        for valid in (0.1, 0.3)
    )
    assert ((before == 2) == (after == 2)).all()
    rare = np.array(labels) == "rare"
    assert [int((before[rare] == side).sum()) for side in range(3)] == [28, 4, 8]
    assert [int((before[~rare] == side).sum()) for side in range(3)] == [252, 36, 72]


def test_another_share_of_valid_leaves_the_holdout_alone() -> None:
    tests = [
        {key for key, side in sides_by_key(ENOUGH, labels_of(ENOUGH), config).items() if side == 2}
        for config in (SplitConfig(valid=0.1), SplitConfig(valid=0.3))
    ]
    assert tests[0] == tests[1]


def test_another_seed_is_another_split() -> None:
    first, second = (
        sides_by_key(ENOUGH, labels_of(ENOUGH), SplitConfig(seed=seed)) for seed in (7, 8)
    )
    assert first != second


@pytest.mark.parametrize("seed", range(20))
def test_a_rare_class_stands_on_every_side(seed: int) -> None:
    keys = [f"row {number}" for number in range(203)]
    labels = ["rare" if number < 3 else "usual" for number in range(203)]
    sides = sides_by_key(keys, labels, SplitConfig(seed=seed))
    assert {sides[f"row {number}"] for number in range(3)} == {0, 1, 2}


def test_a_class_that_is_too_rare_is_named_with_its_count() -> None:
    keys = [f"row {number}" for number in range(50)]
    labels = ["rare" if number < 2 else "usual" for number in range(50)]
    with pytest.raises(ValueError, match=r"data\.target 'label': too rare .*: 'rare' has 2$"):
        split_rows(digests_of(keys), np.arange(50), labels, CONFIG, "label")


def test_copies_of_one_row_do_not_make_a_class_frequent() -> None:
    keys = [f"row {number}" for number in range(60)]
    groups = np.where(np.arange(60) < 20, 0, np.arange(60))
    labels = ["copied" if number < 20 else "usual" for number in range(60)]
    with pytest.raises(ValueError, match=r"'copied' has 1$"):
        split_rows(digests_of(keys), groups, labels, CONFIG, "label")


def test_groups_that_cannot_be_spread_are_refused() -> None:
    # Three groups, each with its own pair of classes beside the common one.
    labels = ["a", "b", "a", "c", "b", "c", "a", "b", "c"]
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3, 3])
    keys = [f"row {group}" for group in groups]
    with pytest.raises(ValueError, match=r"data\.split\.group_by 'near_duplicate': the groups are"):
        split_rows(digests_of(keys), groups, labels, CONFIG, "label")
