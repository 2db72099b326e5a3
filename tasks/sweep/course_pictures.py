"""Pictures of trials: how they learned, which rates they had, which objectives they trade."""

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import FrozenTrial

from tasks.evaluation.plots import COLOURS, DPI, save_figure
from tasks.sweep.outcome import Outcome
from tasks.sweep.panels import BEST, mark_best, panels, score_axis

PRUNED: dict[str, Any] = {"color": "0.6", "linewidth": 0.8, "markersize": 3, "zorder": 1}


def draw_curves(outcome: Outcome, path: Path) -> Path:
    """Reported values over their steps; a pruned trial is grey and ends in a dot."""
    figure = Figure(figsize=(7.6, 4.6), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel="reported step")
    for index, trial in enumerate(outcome.pruned):
        look = {**PRUNED, "label": None if index else "pruned"}
        axes.plot(*_curve(trial), "-o", markevery=[-1], **look)
    others = [trial for trial in outcome.finished if trial.intermediate_values]
    best = outcome.best(0) if others else None
    for index, trial in enumerate(each for each in others if each is not best):
        label = None if index else "finished"
        axes.plot(*_curve(trial), "-o", color=COLOURS[0], linewidth=1, markersize=2.5, label=label)
    if best is not None and best.intermediate_values:
        label = f"best, trial {best.number}"
        axes.plot(*_curve(best), "-o", color=BEST, linewidth=2.2, markersize=3, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    score_axis(axes, outcome, 0, reported(outcome))
    axes.legend(fontsize=8, frameon=False)
    return save_figure(figure, path)


def reported(outcome: Outcome) -> list[float]:
    """All finite values that pruned and finished trials reported on their way."""
    return [
        value
        for trial in (*outcome.pruned, *outcome.finished)
        for value in trial.intermediate_values.values()
        if math.isfinite(value)
    ]


def draw_rates(outcome: Outcome, objective: int, names: Sequence[str], path: Path) -> Path:
    """The score over each learning rate; hollow is what a trial had when it was pruned."""
    figure = Figure(figsize=(7.6, 4.2 * len(names)), dpi=DPI, layout="constrained")
    best = outcome.best(objective)
    for axes, name in zip(figure.subplots(len(names), squeeze=False).flat, names, strict=True):
        axes.set_xscale("log")
        stopped, lasts = outcome.where_pruned(name)
        if stopped:
            hollow = {"markerfacecolor": "none", "color": "0.5", "label": "pruned"}
            axes.plot(stopped, lasts, "o", markersize=4, **hollow)
        tried = [trial for trial in outcome.finished if name in trial.params]
        scores = [trial.values[objective] for trial in tried]
        rates = [trial.params[name] for trial in tried]
        axes.plot(rates, scores, "o", color=COLOURS[0], markersize=5, label="finished")
        if name in best.params:
            rate = best.params[name]
            axes.axvline(rate, color=BEST, linewidth=1, label=f"best {rate:.2g}")
            mark_best(axes, rate, best.values[objective])
        score_axis(axes, outcome, objective, [*scores, *lasts])
        axes.set_xlabel(name, fontsize=9)
        axes.legend(fontsize=8, frameon=False)
    return save_figure(figure, path)


def draw_front(outcome: Outcome, path: Path) -> Path:
    """Each pair of objectives; orange is what no other trial beats in all of them."""
    pairs = list(combinations(range(len(outcome.objectives)), 2))
    figure, grid = panels(len(pairs), side=4.4)
    front = {trial.number for trial in outcome.study.best_trials}
    best = [trial for trial in outcome.finished if trial.number in front]
    others = [trial for trial in outcome.finished if trial.number not in front]
    for axes, pair in zip(grid, pairs, strict=True):
        across, upwards = pair
        axes.scatter(*_traded(others, pair), s=16, color="0.7", label="others")
        axes.scatter(*_traded(best, pair), s=26, color=BEST, label="front", zorder=3)
        if len(pairs) == 1:
            axes.plot(*_traded(sorted(best, key=lambda t: t.values[across]), pair), color=BEST)
        axes.set_xlabel(_aim(outcome, across), fontsize=9)
        axes.set_ylabel(_aim(outcome, upwards), fontsize=9)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
    grid[0].legend(fontsize=8, frameon=False)
    return save_figure(figure, path)


def _curve(trial: FrozenTrial) -> tuple[list[int], list[float]]:
    points = sorted(trial.intermediate_values.items())
    return [step for step, _ in points], [value for _, value in points]


def _traded(trials: Sequence[FrozenTrial], pair: tuple[int, int]) -> tuple[list[float], ...]:
    return tuple([trial.values[objective] for trial in trials] for objective in pair)


def _aim(outcome: Outcome, objective: int) -> str:
    better = "higher" if outcome.is_higher_better(objective) else "lower"
    return f"{outcome.objectives[objective]} ({better} is better)"
