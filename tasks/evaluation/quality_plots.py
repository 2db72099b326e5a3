"""Pictures of slices, robustness and importance: estimates with their intervals, row by row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tasks.evaluation.plots import COLOURS, DPI, save_figure
from tasks.quality_artifacts import Estimate, QualityReport

Series = Mapping[str, Sequence[Estimate | None]]
LINE_INCHES = 0.3
MOST_LINES = 40
"""Of the most important columns; the table has all."""
MOST_LETTERS = 48
"""Of a line's name."""
PARTS = 10
"""Parts of the predicted numbers, with as many rows in each."""


def plot_slices(report: QualityReport, path: Path) -> Path:
    """Each slice a line, each contender a colour; slices that were not judged are left out."""
    judged = [s for s in report.slices if any(s.estimates.values())]
    labels = [f"{s.slicing}: {s.name}  ({s.rows:,})" for s in judged]
    series = {
        name: [s.estimates.get(sha) for s in judged] for sha, name in report.contenders.items()
    }
    return _plot_estimates(labels, series, f"{report.metric} on the holdout, 95 % interval", path)


def plot_robustness(report: QualityReport, path: Path) -> Path:
    """Each kind of damage a line; what the rows had as they are goes down as a dashed line."""
    probed = report.robustness
    labels = [f"{p.name}  ({report.changed(p)})" for p in probed]
    about = f"{report.metric} on {probed[0].rows:,} holdout rows, 95 % interval"
    about += f"\n(in brackets: {report.changed_words})"
    estimates = {report.candidate: [p.estimate for p in probed]}
    return _plot_estimates(labels, estimates, about, path, guide=True)


def plot_importance(report: QualityReport, path: Path) -> Path:
    """What shuffling each column loses, with the deviation over the repetitions."""
    shown = report.importance[:MOST_LINES]
    figure = Figure(figsize=(7, 1 + LINE_INCHES * len(shown)), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel=f"{report.lost_words} when the column is shuffled")
    lost, spread = zip(*((i.lost, i.deviation) for i in shown), strict=True)
    axes.barh(
        np.arange(len(shown)),
        lost,
        xerr=spread,
        color=COLOURS[0],
        alpha=0.8,
        error_kw={"linewidth": 1},
    )
    _name_lines(axes, [i.column for i in shown])
    axes.axvline(0, color="0.5", linewidth=0.8)
    return save_figure(figure, path)


def plot_residuals(name: str, truth_N: NDArray[Any], found_N: NDArray[Any], path: Path) -> Path:
    """Predicted minus true number over the predicted one; the mean of each tenth as a line.

    A line away from zero is a bias; a wider cloud is where the answers are worth less.
    """
    errors_N = found_N.astype(np.float64) - truth_N
    figure = Figure(figsize=(7.2, 4), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(4, 1))
    left.set(xlabel="predicted", ylabel="predicted - true", title=name)
    left.title.set_fontsize(10)
    shade = min(1.0, 0.05 + 200 / len(errors_N))
    left.scatter(found_N, errors_N, s=8, color=COLOURS[0], alpha=shade, linewidths=0)
    parts = [
        part for part in np.array_split(np.argsort(found_N, kind="stable"), PARTS) if len(part)
    ]
    middles, means = zip(*((found_N[p].mean(), errors_N[p].mean()) for p in parts), strict=True)
    left.plot(middles, means, "-o", color=COLOURS[1], markersize=4, label="mean of each tenth")
    left.legend(fontsize=8, frameon=False)
    right.hist(errors_N, bins=30, orientation="horizontal", color=COLOURS[0], alpha=0.8)
    right.set(xlabel="rows")
    for axes in (left, right):
        axes.axhline(0, color="0.5", linestyle="--", linewidth=1)
        axes.grid(alpha=0.3)
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
    if len(series) > 1 and axes.get_legend_handles_labels()[0]:
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
    short = [x if len(x) <= MOST_LETTERS else x[: MOST_LETTERS - 3] + "..." for x in labels]
    axes.set_yticks(range(len(labels)), short, fontsize=8)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
