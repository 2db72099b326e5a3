"""What the pictures of a sweep share: panels, colours, axes of parameters, the best trial."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tasks.evaluation.plots import COLOURS, DPI
from tasks.sweep.outcome import Outcome
from tasks.sweep.scale import Scale, broken

COLUMNS = 4
"""Panels side by side."""
BEST = COLOURS[1]


def panels(count: int, side: float = 2.8) -> tuple[Figure, list[Any]]:
    """A figure of `count` panels, of so many inches each."""
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(1.4 + side * columns, side * rows), dpi=DPI, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for axes in grid[count:]:
        axes.remove()
    return figure, grid[:count]


def shades(outcome: Outcome, objective: int) -> ScalarMappable:
    """Colour of a score: the better the brighter."""
    scores = outcome.scores(objective)
    name = "viridis" if outcome.is_higher_better(objective) else "viridis_r"
    return ScalarMappable(Normalize(min(scores), max(scores)), colormaps[name])


def mark_best(axes: Any, x: float, y: float) -> None:
    """A cross."""
    axes.plot(x, y, "X", color=BEST, markersize=9, markeredgecolor="white", zorder=6)


def name_across(axes: Any, scale: Scale) -> None:
    """The parameter and its values along the lower edge."""
    _set_ticks(axes.xaxis, scale)
    axes.set_xlabel(broken(scale.name), fontsize=8)
    axes.set_xlim(-0.06, 1.06)


def name_upwards(axes: Any, scale: Scale) -> None:
    """The parameter and its values along the left edge."""
    _set_ticks(axes.yaxis, scale)
    axes.set_ylabel(broken(scale.name), fontsize=8)
    axes.set_ylim(-0.06, 1.06)


def _set_ticks(axis: Any, scale: Scale) -> None:
    places, words = zip(*scale.ticks(), strict=True)
    axis.set_ticks(places, words)
    axis.set_tick_params(labelsize=7)


def score_axis(axes: Any, outcome: Outcome, objective: int, scores: Sequence[float]) -> None:
    """Scores upwards; a trial that came to nothing does not press the others together."""
    axes.set_ylabel(broken(outcome.objectives[objective]), fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.3)
    low, high = fenced(np.array(scores), outcome.is_higher_better(objective))
    room = 0.06 * (high - low) or 1.0
    axes.set_ylim(low - room, high + room)
    if hidden := sum(not low <= score <= high for score in scores):
        place = {"x": 0.99, "y": 0.01, "ha": "right", "va": "bottom", "color": "0.4"}
        axes.text(s=f"{hidden} far worse not shown", fontsize=6, transform=axes.transAxes, **place)


def fenced(scores_N: NDArray[np.float64], is_higher_better: bool) -> tuple[float, float]:
    """Ends of an axis for the scores: all of them, but for outliers on the worse side.

    A tenth of the scores at most, those beyond three times the range of the others.
    """
    sign = 1 if is_higher_better else -1
    goods_N = sign * scores_N
    best, decile = float(goods_N.max()), float(np.quantile(goods_N, 0.1, method="higher"))
    worst = float(goods_N[goods_N >= decile - 3 * (best - decile)].min())
    return (worst, best) if is_higher_better else (-best, -worst)
