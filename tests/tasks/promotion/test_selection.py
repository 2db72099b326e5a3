from collections.abc import Callable

import pytest

from tasks.artifacts import EvalReport
from tasks.evaluation.config import BudgetConfig
from tasks.promotion.selection import select

Make = Callable[..., EvalReport]


def test_the_best_that_fits_is_chosen(report: Make) -> None:
    reports = [
        report("big", 0.80, p50=4.0, p95=9.0),
        report("small", 0.75, p50=1.0),
        report("tiny", 0.70, p50=0.5),
        report("base", 0.60, role="baseline"),
    ]
    selection = select(reports, BudgetConfig(p95_ms=5), "macro_f1")
    assert (selection.name, selection.fits) == ("small", True)
    assert selection.reason == (
        "small: valid macro_f1 0.7500, the best of 2 of 3 candidates that fit the budget"
    )
    assert [(check.name, check.passed) for check in selection.checks] == [("budget small", True)]
    assert set(selection.beyond) == {"big"}
    assert "p95 9 ms ABOVE 5 ms" in selection.beyond["big"]


@pytest.mark.parametrize("role", ["control", "teacher", "baseline"])
def test_some_are_never_chosen_however_good(report: Make, role: str) -> None:
    reports = [report("s", 0.7), report("x", 0.99, role=role), report("b", 0.1, role="baseline")]
    assert select(reports, BudgetConfig(), "macro_f1").name == "s"


@pytest.mark.parametrize(
    ("other", "chosen"),
    [
        ({"p50": 0.5, "p95": 2.0}, "b"),
        ({"size_bytes": 900_000}, "b"),
        ({}, "a"),
    ],
    ids=["latency", "size", "name"],
)
def test_ties_are_broken_by_cost_then_name(
    report: Make, other: dict[str, float], chosen: str
) -> None:
    base = report("base", 0.1, role="baseline")
    reports = [report("b", 0.7, **other), report("a", 0.7), base]
    assert select(reports, BudgetConfig(), "macro_f1").name == chosen
    assert select(reports[::-1], BudgetConfig(), "macro_f1").name == chosen


def test_when_nothing_fits_the_baseline_stands_in(report: Make) -> None:
    reports = [
        report("near", 0.7, size_bytes=5_500_000),
        report("far", 0.9, size_bytes=50_000_000),
        report("base", 0.6, role="baseline"),
    ]
    selection = select(reports, BudgetConfig(size_mb=5), "macro_f1")
    assert (selection.name, selection.fits) == ("base", True)
    assert "nearest is near: p95 2 ms (no limit), size 5.5 MB ABOVE 5 MB" in selection.reason


def test_when_not_even_the_baseline_fits_the_nearest_is_named(report: Make) -> None:
    reports = [report("near", 0.7, p50=1), report("base", 0.6, role="baseline", p50=1)]
    selection = select(reports, BudgetConfig(p95_ms=0.1), "macro_f1")
    assert (selection.name, selection.fits) == ("near", False)


def test_the_holdout_may_not_choose(report: Make) -> None:
    with pytest.raises(ValueError, match="looks at split 'valid' only, not at 'test'"):
        select([report("a", split="test")], BudgetConfig(), "macro_f1")


def test_with_a_limit_to_what_is_lost_the_fastest_is_chosen(report: Make) -> None:
    reports = [
        report("teacher", 0.80, role="teacher", p50=9.0),
        report("big", 0.81, p50=4.0),
        report("small", 0.795, p50=1.0),
        report("tiny", 0.70, p50=0.5),
        report("base", 0.60, role="baseline", p50=0.1),
    ]
    selection = select(reports, BudgetConfig(max_drop=0.01), "macro_f1")
    assert (selection.name, selection.baseline_fits) == ("small", False)
    assert selection.reason == (
        "small: valid macro_f1 0.7950, the fastest of 2 of 3 candidates that fit the budget"
    )
    assert "macro_f1 lost 0.1 ABOVE 0.01" in selection.beyond["tiny"]


def test_where_the_teacher_is_no_candidate_the_best_says_what_is_lost(report: Make) -> None:
    reports = [report("big", 0.81), report("tiny", 0.70), report("base", 0.6, role="baseline")]
    assert select(reports, BudgetConfig(max_drop=0.01), "macro_f1").name == "big"
