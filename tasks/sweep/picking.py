"""Which trial of a Pareto front is within the budget that an answer may cost."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tasks.evaluation.config import BudgetConfig
from tasks.sweep.space import Values
from tasks.sweep_artifacts import Good, Question, SettingsTrial

SOUGHT: tuple[Good, ...] = ("quality", "score")
"""Objectives that say how good a trial is, the first that there is."""
CHEAP = ("p50_ms", "p95_ms", "size_mb", "memory_mb")
"""Objectives that say what an answer costs; the first that there is decides."""
DROP = "max_drop"


class Pick(NamedTuple):
    """The best trial within the budget, or the nearest to it."""

    trial: SettingsTrial
    fits: bool
    sentence: str


def picked(
    front: Sequence[SettingsTrial], objectives: Sequence[str], budget: BudgetConfig
) -> Pick | None:
    """The pick; None when no limit of the budget is an objective, or nothing says what is good.

    The best within the budget, or the fastest (failing that, the smallest) where the budget says
    how much of the best trial's quality may be lost.
    """
    if not front or not picks(budget, objectives):
        return None
    good = next(name for name in SOUGHT if name in objectives)
    limits = _limits_of(budget, objectives)
    named = {t.number: dict(zip(objectives, t.objectives, strict=True)) for t in front}
    most = max(figures[good] for figures in named.values())
    for figures in named.values():
        figures[DROP] = most - figures[good]
    fitting = [t for t in front if _excess(named[t.number], limits) <= 1]
    if not fitting:
        nearest = min(front, key=lambda trial: _excess(named[trial.number], limits))
        return Pick(nearest, False, _why_none(nearest.number, named, limits))
    cheap = next((name for name in CHEAP if name in objectives), None)
    by = cheap if DROP in limits and cheap else good
    sign = -1 if by == good else 1
    best = min(fitting, key=lambda trial: sign * named[trial.number][by])
    shown = {name: named[best.number][name] for name in dict.fromkeys((by, good))}
    sentence = f"trial {best.number}: {_said(shown, 4)}, the {'best' if by == good else 'least'}"
    return Pick(best, True, f"{sentence} of {len(fitting)} of {len(front)} within {_said(limits)}")


def picks(budget: BudgetConfig, objectives: Sequence[str]) -> bool:
    """Whether the budget says which of a front it takes."""
    is_front = len(objectives) > 1 and bool(set(SOUGHT) & set(objectives))
    return is_front and bool(_limits_of(budget, objectives))


def question_of(
    trials: Sequence[SettingsTrial],
    present: Values,
    objectives: Sequence[str],
    budget: BudgetConfig,
) -> Question:
    """What new seeds are asked about a pick: whether it loses more than the budget allows.

    It may lose anything where the settings that the project has were not seen to be within the
    budget, too.
    """
    good = next(name for name in SOUGHT if name in objectives)
    limits = _limits_of(budget, objectives)
    drop = limits.pop(DROP, 0.0)
    for trial in trials:
        if trial.values == present and trial.state == "complete":
            figures = dict(zip(objectives, trial.objectives, strict=True))
            if _excess(figures, limits) <= 1:
                return Question(good=good, allowed=drop)
    return Question(good=good, allowed=math.inf)


def _limits_of(budget: BudgetConfig, objectives: Sequence[str]) -> dict[str, float]:
    given = budget.model_dump(exclude_none=True)
    return {name: limit for name, limit in given.items() if name in (*objectives, DROP)}


def _excess(figures: Mapping[str, float], limits: Mapping[str, float]) -> float:
    """The worst figure in units of its limit."""
    return max((figures[name] / limit for name, limit in limits.items()), default=0.0)


def _why_none(
    nearest: int, named: Mapping[int, Mapping[str, float]], limits: Mapping[str, float]
) -> str:
    """Which limits nobody meets, or that nobody meets all of them; who is nearest."""
    least = {name: min(figures[name] for figures in named.values()) for name in limits}
    beyond = {name: value for name, value in least.items() if value > limits[name]}
    if beyond:
        parts = [f"{name} {limits[name]:g} (least {value:.3g})" for name, value in beyond.items()]
        why = f"no trial meets {' and '.join(parts)}"
    else:
        why = f"no trial meets all of {_said(limits)}"
    return f"{why}; nearest is trial {nearest}: {_said({n: named[nearest][n] for n in limits})}"


def _said(figures: Mapping[str, float], digits: int = 3) -> str:
    return ", ".join(f"{name} {value:.{digits}g}" for name, value in figures.items())
