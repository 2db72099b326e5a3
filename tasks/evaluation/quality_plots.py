"""Pictures of slices, robustness and importance: estimates with their intervals, row by row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tasks.artifacts import Estimate, Importance, Probed, Slice
from tasks.evaluation.plots import COLOURS, DPI, save_figure

Series = Mapping[str, Sequence[Estimate | None]]
LINE_INCHES = 0.3


def plot_slices(
    slices: Sequence[Slice], contenders: Mapping[str, str], metric: str, path: Path
) -> Path:
    """Each slice a line, each contender a colour; slices that were not judged are left out."""
    judged = [s for s in slices if any(s.estimates.values())]
    labels = [f"{s.slicing}: {s.name}  ({s.rows:,})" for s in judged]
    series = {name: [s.estimates.get(sha) for s in judged] for sha, name in contenders.items()}
    return _plot_estimates(labels, series, f"{metric} on the holdout, 95 % interval", path)


def plot_robustness(probed: Sequence[Probed], name: str, metric: str, path: Path) -> Path:
    """Each kind of damage a line; what the rows had as they are goes down as a dashed line."""
    labels = [f"{p.name}  ({p.changed:.0%} change)".replace("%", " %") for p in probed]
    label = f"{metric} on {probed[0].rows:,} holdout rows, 95 % interval"
    return _plot_estimates(labels, {name: [p.estimate for p in probed]}, label, path, guide=True)


def plot_importance(importance: Sequence[Importance], metric: str, path: Path) -> Path:
    """What shuffling each column loses, with the deviation over the repetitions."""
    figure = Figure(figsize=(7, 1 + LINE_INCHES * len(importance)), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel=f"{metric} lost when the column is shuffled")
    places = np.arange(len(importance))
    lost, spread = zip(*((i.lost, i.deviation) for i in importance), strict=True)
    axes.barh(places, lost, xerr=spread, color=COLOURS[0], alpha=0.8, error_kw={"linewidth": 1})
    _name_lines(axes, [i.column for i in importance])
    axes.axvline(0, color="0.5", linewidth=0.8)
    return save_figure(figure, path)


def _plot_estimates(
    labels: Sequence[str], series: Series, xlabel: str, path: Path, *, guide: bool = False
) -> Path:
    height = 1.2 + LINE_INCHES * len(labels) * (1 + 0.35 * (len(series) - 1))
    figure = Figure(figsize=(8.2, height), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel=xlabel)
    offsets = np.linspace(-0.27, 0.27, len(series)) if len(series) > 1 else [0.0]
    for index, (name, estimates) in enumerate(series.items()):
        _draw_series(axes, estimates, offsets[index], COLOURS[index % len(COLOURS)], name)
        if guide and estimates and (first := estimates[0]) is not None:
            axes.axvline(first.value, color="0.5", linestyle="--", linewidth=1)
    _name_lines(axes, labels)
    if len(series) > 1:
        figure.legend(loc="outside upper right", ncols=len(series), fontsize=8, frameon=False)
    return save_figure(figure, path)


def _draw_series(
    axes: Any, estimates: Sequence[Estimate | None], offset: float, colour: str, name: str
) -> None:
    known = [(place, e) for place, e in enumerate(estimates) if e is not None]
    if not known:
        return
    values = np.array([(e.value, e.value - e.low, e.high - e.value) for _, e in known])
    axes.errorbar(
        values[:, 0],
        [place + offset for place, _ in known],
        # A percentile interval of a skewed draw can leave its value just outside.
        xerr=np.maximum(values[:, 1:].T, 0),
        fmt="o",
        color=colour,
        markersize=4,
        elinewidth=1.4,
        label=name,
    )


def _name_lines(axes: Any, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
