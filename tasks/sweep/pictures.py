"""Pictures of parameters against scores. A cross is the best trial; brighter is better."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from tasks.evaluation.plots import COLOURS, DPI, save_figure
from tasks.sweep.importance import Importance
from tasks.sweep.outcome import Outcome
from tasks.sweep.panels import (
    COLUMNS,
    mark_best,
    name_across,
    name_upwards,
    panels,
    score_axis,
    shades,
)
from tasks.sweep.scale import broken, scale_of
from tasks.sweep.surface import CELLS_G, surface_of


def draw_parallel(outcome: Outcome, objective: int, names: Sequence[str], path: Path) -> Path:
    """One line a trial, from its score through its parameters; a gap where it has no such one."""
    scales = [scale_of(outcome, name) for name in names]
    scores_N = np.array(outcome.scores(objective))
    low, high = float(scores_N.min()), float(scores_N.max())
    places_AN = [(scores_N - low) / (high - low), *(s.places(outcome.finished) for s in scales)]
    figure = Figure(figsize=(1.5 + 1.6 * len(places_AN), 4.6), dpi=DPI, layout="constrained")
    axes, shade = figure.add_subplot(), shades(outcome, objective)
    order = np.argsort(scores_N if outcome.is_higher_better(objective) else -scores_N)
    for trial in order:  # The best is drawn last, on top.
        heights = [places_N[trial] for places_N in places_AN]
        colour = shade.to_rgba(scores_N[trial])
        axes.plot(heights, "-o", color=colour, alpha=0.75, linewidth=1.1, markersize=2.5)
    ends = [(share, f"{low + share * (high - low):.4g}") for share in (0.0, 0.5, 1.0)]
    for place, ticks in enumerate([ends, *(scale.ticks() for scale in scales)]):
        axes.axvline(place, color="0.6", linewidth=0.8, zorder=0)
        for height, text in ticks:
            box = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.8}
            axes.text(place + 0.03, height, text, fontsize=7, va="center", bbox=box, zorder=5)
    labels = [broken(outcome.objectives[objective]), *(broken(name) for name in names)]
    axes.set_xticks(range(len(labels)), labels, fontsize=8)
    axes.set(yticks=[], xlim=(-0.15, len(labels) - 0.6))
    axes.spines[:].set_visible(False)
    return save_figure(figure, path)


def draw_importances(found: Sequence[Importance], title: str, path: Path) -> Path:
    """Share of each parameter; grey ones cannot be told from chance."""
    figure = Figure(figsize=(7, 1.3 + 0.32 * len(found)), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel="share of the importance (PED-ANOVA)")
    colours = [COLOURS[0] if one.stands_out else "0.75" for one in found]
    bars = axes.barh([one.parameter for one in found], [one.share for one in found], color=colours)
    words = [f"{one.share:.0%}{'' if one.stands_out else ' (chance)'}" for one in found]
    axes.bar_label(bars, words, fontsize=8, padding=3)
    axes.set_title(title, fontsize=10)
    axes.tick_params(labelsize=8)
    axes.set_xlim(0, 1.2 * max(one.share for one in found) or 1)
    axes.invert_yaxis()
    return save_figure(figure, path)


def draw_slices(outcome: Outcome, objective: int, names: Sequence[str], path: Path) -> Path:
    """The score over each parameter; later trials are brighter."""
    figure, grid = panels(len(names))
    best, scores = outcome.best(objective), outcome.scores(objective)
    numbers = [trial.number for trial in outcome.finished]
    time = ScalarMappable(Normalize(numbers[0], numbers[-1]), "viridis")
    for index, (axes, name) in enumerate(zip(grid, names, strict=True)):
        scale = scale_of(outcome, name)
        places_N = scale.places(outcome.finished)
        axes.scatter(places_N, scores, c=numbers, s=14, cmap=time.get_cmap(), norm=time.norm)
        mark_best(axes, float(scale.places([best])[0]), best.values[objective])
        name_across(axes, scale)
        score_axis(axes, outcome, objective, scores)
        if index % COLUMNS:
            axes.set_ylabel("")
    figure.colorbar(time, ax=grid, shrink=0.8).set_label("trial", fontsize=8)
    return save_figure(figure, path)


def draw_contours(outcome: Outcome, objective: int, names: Sequence[str], path: Path) -> Path:
    """The score over pairs of parameters: the mean of the trials near a place, nearer ones more."""
    pairs = list(combinations(names, 2))
    figure, grid = panels(len(pairs))
    scores_N, shade = np.array(outcome.scores(objective)), shades(outcome, objective)
    look = {"cmap": shade.get_cmap(), "norm": shade.norm}
    best = outcome.best(objective)
    for axes, pair in zip(grid, pairs, strict=True):
        across, upwards = (scale_of(outcome, name) for name in pair)
        x_N, y_N = across.places(outcome.finished), upwards.places(outcome.finished)
        both = ~np.isnan(x_N + y_N)
        x_N, y_N, both_N = x_N[both], y_N[both], scores_N[both]
        surface_YX = surface_of(x_N, y_N, both_N)
        axes.pcolormesh(CELLS_G, CELLS_G, surface_YX, alpha=0.65, linewidth=0, **look)
        axes.scatter(x_N, y_N, c=both_N, s=14, edgecolors="black", linewidths=0.4, **look)
        mark_best(axes, float(across.places([best])[0]), float(upwards.places([best])[0]))
        name_across(axes, across)
        name_upwards(axes, upwards)
    figure.colorbar(shade, ax=grid, shrink=0.8).set_label(outcome.objectives[objective], fontsize=8)
    return save_figure(figure, path)
