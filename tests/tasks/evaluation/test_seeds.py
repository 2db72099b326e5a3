"""What a teacher is worth, and how surely."""

import numpy as np
import pytest
from scipy import stats

from tasks.evaluation.seeds import gain_over_seeds


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    taught, alone = [0.79, 0.80, 0.78], [0.75, 0.77, 0.76]
    found = gain_over_seeds("bag", "macro_f1", taught, alone)
    expected = stats.ttest_rel(taught, alone).confidence_interval(0.95)
    assert (found.gain.low, found.gain.high) == pytest.approx(tuple(expected))
    assert found.gain.value == pytest.approx(0.03)
    assert str(found) == (
        "bag against its control, 3 seeds on validation rows: macro_f1 0.7900 and 0.7600, "
        "+0.0300 [+0.0052, +0.0548] at 95 %: the teacher helps"
    )


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.03, -0.01, 0.01], "no difference can be told"),
        ([-0.03, -0.031, -0.029], "the teacher harms"),
        ([0.01, 0.01, 0.01], "the teacher helps"),
        ([0.0, 0.0, 0.0], "no difference can be told"),
    ],
    ids=["within chance", "harm", "the same gain each time", "none"],
)
def test_it_is_said_whether_a_teacher_helps(differences: list[float], verdict: str) -> None:
    alone = np.array([0.5, 0.5, 0.5])
    found = gain_over_seeds("bag", "accuracy", [*(alone + differences)], [*alone])
    assert str(found).endswith(verdict)


def test_one_seed_tells_nothing() -> None:
    with pytest.raises(ValueError, match="bag: 1 seed tells no interval, at least 2 do"):
        gain_over_seeds("bag", "accuracy", [0.5], [0.4])
