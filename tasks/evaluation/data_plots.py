"""Pictures of a data report: what is to be predicted, split by split, and what has drifted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tasks.evaluation.plots import COLOURS, DPI, save_figure

Report = Mapping[str, Any]
LINE_INCHES = 0.32
MOST_LINES = 30
"""Classes, the most frequent ones, and columns, those that drifted furthest."""
SLIGHT, MARKED = 0.1, 0.2
"""Stability indices that are commonly called so (Siddiqi, Credit Risk Scorecards, 2006)."""


def plot_data(report: Report, folder: Path) -> list[Path]:
    """The pictures that this report has something for."""
    drawn = []
    sides = report.get("splits", {})
    if any(side.get("classes") for side in sides.values()):
        drawn.append(_plot_classes(sides, folder / "classes.png"))
    elif any(side.get("target") for side in sides.values()):
        drawn.append(_plot_numbers(sides, str(report["target"]), folder / "target.png"))
    if report.get("drift"):
        drawn.append(_plot_drift(report["drift"], folder / "drift.png"))
    return drawn


def _plot_classes(sides: Mapping[str, Report], path: Path) -> Path:
    """Share of each class in each split, the most frequent first."""
    counts = {split: side.get("classes", {}) for split, side in sides.items()}
    total = {
        name: sum(c.get(name, 0) for c in counts.values()) for c in counts.values() for name in c
    }
    names = sorted(total, key=lambda name: -total[name])[:MOST_LINES]
    axes, figure = _lines(names, f"share of the rows of its split ({len(total)} classes)")
    offsets = np.linspace(-0.27, 0.27, len(counts))
    for index, (split, found) in enumerate(counts.items()):
        rows = max(1, sum(found.values()))
        shares = [found.get(name, 0) / rows for name in names]
        label = f"{split} ({rows:,} rows)"
        places = np.arange(len(names)) + offsets[index]
        axes.barh(places, shares, 0.8 / len(counts), color=COLOURS[index], label=label)
    figure.legend(loc="outside upper right", ncols=len(counts), fontsize=8, frameon=False)
    return save_figure(figure, path)


def _plot_numbers(sides: Mapping[str, Report], target: str, path: Path) -> Path:
    """Least, 5 %, median, 95 % and greatest number of each split."""
    known = {split: side["target"] for split, side in sides.items() if side.get("target")}
    axes, figure = _lines(list(known), f"{target}: least, 5 %, median, 95 % and greatest number")
    for place, (least, low, middle, high, greatest) in enumerate(known.values()):
        axes.plot((least, greatest), (place, place), color=COLOURS[0], linewidth=1)
        axes.plot((low, high), (place, place), color=COLOURS[0], linewidth=7, alpha=0.5)
        axes.plot(middle, place, "o", color=COLOURS[1], markersize=7)
    return save_figure(figure, path)


def _plot_drift(drift: Mapping[str, Report], path: Path) -> Path:
    """Stability index of each column since the last snapshot, the largest first."""
    names = sorted(drift, key=lambda name: -drift[name]["psi"])[:MOST_LINES]
    axes, figure = _lines(names, "population stability index since the last snapshot")
    axes.barh(np.arange(len(names)), [drift[name]["psi"] for name in names], color=COLOURS[0])
    for value, word in ((SLIGHT, "slight"), (MARKED, "marked")):
        axes.axvline(value, color=COLOURS[1], linestyle="--", linewidth=1)
        axes.annotate(word, (value, -0.55), fontsize=8, color=COLOURS[1], ha="left", va="bottom")
    return save_figure(figure, path)


def _lines(names: list[str], xlabel: str) -> tuple[Any, Figure]:
    """Axes with a line for each name, the first on top."""
    figure = Figure(figsize=(7.4, 1.3 + LINE_INCHES * len(names)), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(xlabel=xlabel)
    short = [name if len(name) <= 40 else name[:37] + "..." for name in names]
    axes.set_yticks(range(len(names)), short, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
    return axes, figure
