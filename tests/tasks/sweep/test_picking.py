"""The budget picks from a Pareto front, and says what it cannot have."""

import math
from typing import Any

import pytest

from tasks.evaluation.config import BudgetConfig
from tasks.sweep.picking import picked, picks, question_of
from tasks.sweep_artifacts import SettingsTrial

OBJECTIVES = ("quality", "p95_ms", "size_mb")


def trial(number: int, *objectives: float) -> SettingsTrial:
    return SettingsTrial(
        number=number, values={}, state="complete", scores=(), objectives=objectives
    )


FRONT = [trial(0, 0.9, 8.0, 20.0), trial(3, 0.85, 4.0, 9.0), trial(5, 0.8, 2.0, 10.0)]


def test_the_best_within_the_budget_is_picked() -> None:
    pick = picked(FRONT, OBJECTIVES, BudgetConfig(p95_ms=5, size_mb=10))
    assert pick is not None
    assert (pick.trial.number, pick.fits) == (3, True)
    assert pick.sentence == (
        "trial 3: quality 0.85, the best of 2 of 3 within p95_ms 5, size_mb 10"
    )


def test_a_limit_that_nobody_meets_is_named_with_the_nearest() -> None:
    pick = picked(FRONT, OBJECTIVES, BudgetConfig(p95_ms=1.5, size_mb=10))
    assert pick is not None
    assert (pick.trial.number, pick.fits) == (5, False)
    assert pick.sentence == (
        "no trial meets p95_ms 1.5 (least 2); nearest is trial 5: p95_ms 2, size_mb 10"
    )


def test_limits_that_are_met_but_not_together_are_said() -> None:
    pick = picked(FRONT, OBJECTIVES, BudgetConfig(p95_ms=3, size_mb=9.5))
    assert pick is not None
    assert pick.sentence == (
        "no trial meets all of p95_ms 3, size_mb 9.5; nearest is trial 5: p95_ms 2, size_mb 10"
    )


def test_without_limits_or_quality_nothing_is_picked() -> None:
    assert picked(FRONT, OBJECTIVES, BudgetConfig()) is None
    assert picked(FRONT, OBJECTIVES, BudgetConfig(memory_mb=100)) is None
    assert picked([], OBJECTIVES, BudgetConfig(p95_ms=3)) is None
    assert picked([trial(0, 1.0, 2.0)], ("seconds", "p95_ms"), BudgetConfig(p95_ms=3)) is None


def test_of_those_that_lose_little_the_cheapest_is_picked() -> None:
    pick = picked(FRONT, OBJECTIVES, BudgetConfig(max_drop=0.06))
    assert pick is not None
    assert (pick.trial.number, pick.fits) == (3, True)
    assert pick.sentence == (
        "trial 3: p95_ms 4, quality 0.85, the least of 2 of 3 within max_drop 0.06"
    )
    pick = picked(FRONT, OBJECTIVES, BudgetConfig(max_drop=0.06, size_mb=8))
    assert pick is not None
    assert not pick.fits
    assert "no trial meets size_mb 8 (least 9)" in pick.sentence


def test_a_drop_alone_picks_where_quality_is_sought() -> None:
    assert picks(BudgetConfig(max_drop=0.01), ("quality", "size_mb"))
    assert not picks(BudgetConfig(max_drop=0.01), ("seconds", "size_mb"))
    assert not picks(BudgetConfig(memory_mb=100), OBJECTIVES)


@pytest.mark.parametrize(
    ("budget", "present", "allowed"),
    [
        ({"p95_ms": 9}, {"a.x": 0}, 0.0),
        ({"p95_ms": 9, "max_drop": 0.02}, {"a.x": 0}, 0.02),
        ({"max_drop": 0.02}, {"a.x": 0}, 0.02),
        ({"p95_ms": 5}, {"a.x": 0}, math.inf),
        ({"p95_ms": 9}, {"a.x": 3}, math.inf),
    ],
    ids=["within", "may-lose", "no-limit", "too-slow", "not-tried"],
)
def test_a_pick_may_lose_what_the_budget_allows_where_the_present_settings_are_within_it(
    budget: dict[str, float], present: dict[str, Any], allowed: float
) -> None:
    tried = trial(0, 0.9, 8.0, 20.0).model_copy(update={"values": {"a.x": 0}})
    question = question_of([tried, FRONT[1]], present, OBJECTIVES, BudgetConfig(**budget))
    assert (question.good, question.allowed) == ("quality", allowed)
