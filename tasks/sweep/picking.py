"""Which trial of a Pareto front is within the budget that an answer may cost."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tasks.evaluation.config import BudgetConfig
from tasks.sweep_artifacts import SettingsTrial

SOUGHT = ("quality", "score")
"""Objectives that say how good a trial is, the first that there is."""


class Pick(NamedTuple):
    """The best trial within the budget, or the nearest to it."""

    trial: SettingsTrial
    fits: bool
    sentence: str


def picked(
    front: Sequence[SettingsTrial], objectives: Sequence[str], budget: BudgetConfig
) -> Pick | None:
    """The pick; None when no limit of the budget is an objective, or nothing says what is good."""
    good = next((name for name in SOUGHT if name in objectives), None)
    given = budget.model_dump(exclude_none=True)
    limits = {name: limit for name, limit in given.items() if name in objectives}
    if good is None or not limits or not front:
        return None
    named = {t.number: dict(zip(objectives, t.objectives, strict=True)) for t in front}
    fitting = [t for t in front if _excess(named[t.number], limits) <= 1]
    if fitting:
        best = max(fitting, key=lambda trial: named[trial.number][good])
        figures = named[best.number]
        sentence = f"trial {best.number}: {good} {figures[good]:.4g}, the best of {len(fitting)}"
        return Pick(best, True, f"{sentence} of {len(front)} within {_said(limits)}")
    nearest = min(front, key=lambda trial: _excess(named[trial.number], limits))
    return Pick(nearest, False, _why_none(nearest.number, named, limits))


def _excess(figures: Mapping[str, float], limits: Mapping[str, float]) -> float:
    """The worst figure in units of its limit."""
    return max(figures[name] / limit for name, limit in limits.items())


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


def _said(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
