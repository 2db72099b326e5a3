"""The front holds what nothing beats."""

import pytest

from tasks.evaluation.front import pareto_front


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ([(1, 1), (2, 2)], [False, True]),
        ([(1, 2), (2, 1)], [True, True]),
        ([(1, 1), (1, 1)], [True, True]),
        ([(1, 1), (1, 2)], [False, True]),
    ],
    ids=["beaten", "trade", "twins", "better-in-one"],
)
def test_the_pareto_front_holds_what_nothing_beats(
    points: list[tuple[int, int]], front: list[bool]
) -> None:
    assert pareto_front(points) == front
