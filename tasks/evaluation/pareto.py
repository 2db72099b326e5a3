"""The Pareto front of quality against latency, and how it is drawn."""

from collections.abc import Mapping, Sequence
from math import pi, sqrt
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from tasks.artifacts import EvalReport, Role
from tasks.evaluation.front import pareto_front

Spot = tuple[float, float]
"""(p50 in ms, quality)"""
_OFFSETS = ((5, 5), (5, -11), (-5, 6), (-5, -12), (5, 17), (5, -23), (-5, 18), (-5, -24))
"""Where a label may stand, in points from its spot; the first that is free is taken."""
_LABEL_POINTS = (150.0, 11.0)


def draw_pareto(
    axes: Any,
    reports: Sequence[EvalReport],
    metric: str,
    selected: str | None,
    colours: Mapping[Role, str],
) -> None:
    """Draw every candidate, labelled; area grows with bytes, a ring marks the selected one."""
    spots = [(r.cost.latency_ms.p50, r.metrics[metric]) for r in reports]
    _prepare(axes, spots, metric)
    front = pareto_front([(-p50_ms, quality) for p50_ms, quality in spots])
    joined = sorted(spot for spot, best in zip(spots, front, strict=True) if best)
    axes.plot(*zip(*joined, strict=True), color="0.55", linewidth=1.2, zorder=1)
    for report, spot in zip(reports, spots, strict=True):
        colour = colours[report.candidate.role]
        area = area_of(report.candidate.size_bytes)
        axes.scatter(*spot, s=area, color=colour, alpha=0.75, zorder=2, linewidths=0)
        if report.candidate.name == selected:
            ring = {"facecolors": "none", "edgecolors": "#D55E00", "linewidths": 2}
            axes.scatter(*spot, s=area + 90, zorder=3, **ring)
    _label(axes, reports, spots, selected)
    roles = list(dict.fromkeys(report.candidate.role for report in reports))
    axes.legend(handles=_legend(roles, colours), fontsize=8, frameon=False, loc="best")


def area_of(size_bytes: int) -> float:
    """Area of a spot in square points: 8 a megabyte, and enough to be seen."""
    return 18 + 8 * size_bytes / 1e6


def _prepare(axes: Any, spots: Sequence[Spot], metric: str) -> None:
    rows = "validation"
    axes.set_xscale("log")
    axes.set(xlabel="p50 latency of one row, ms (log)", ylabel=f"{metric}, {rows} rows")
    fastest, slowest = min(s[0] for s in spots), max(s[0] for s in spots)
    worst, best = min(s[1] for s in spots), max(s[1] for s in spots)
    room = max(best - worst, 0.01)
    axes.set_xlim(fastest / 1.8, slowest * 3)
    axes.set_ylim(worst - 0.18 * room, best + 0.18 * room)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.25)


def _label(
    axes: Any, reports: Sequence[EvalReport], spots: Sequence[Spot], selected: str | None
) -> None:
    """Name and size beside each spot, moved until no two labels overlap."""
    axes.figure.canvas.draw()  # fixes the scale that points are converted with
    points = 72 / axes.figure.dpi
    taken: list[tuple[float, float]] = []
    for index in sorted(range(len(spots)), key=lambda i: spots[i][1], reverse=True):
        candidate = reports[index].candidate
        x, y = axes.transData.transform(spots[index]) * points
        radius = round(sqrt(area_of(candidate.size_bytes) / pi))
        offsets = [(dx + (radius if dx > 0 else -radius), dy) for dx, dy in _OFFSETS]
        offset = next((o for o in offsets if _is_free((x, y), o, taken)), offsets[0])
        taken.append(_centre((x, y), offset))
        axes.annotate(
            f"{candidate.name}  {candidate.size_bytes / 1e6:.1f} MB",
            spots[index],
            offset,
            textcoords="offset points",
            ha="left" if offset[0] > 0 else "right",
            fontsize=8,
            fontweight="bold" if candidate.name == selected else "normal",
        )


def _centre(spot: Spot, offset: tuple[int, int]) -> tuple[float, float]:
    half = _LABEL_POINTS[0] / 2
    return spot[0] + offset[0] + (half if offset[0] > 0 else -half), spot[1] + offset[1]


def _is_free(spot: Spot, offset: tuple[int, int], taken: Sequence[tuple[float, float]]) -> bool:
    x, y = _centre(spot, offset)
    width, height = _LABEL_POINTS
    return not any(abs(x - a) < width and abs(y - b) < height for a, b in taken)


def _legend(roles: Sequence[Role], colours: Mapping[Role, str]) -> list[Line2D]:
    dots = [
        Line2D([], [], marker="o", linestyle="", color=colours[role], label=role, markersize=6)
        for role in roles
    ]
    front = Line2D([], [], color="0.55", label="front: no other is faster and better")
    chosen = Line2D([], [], linestyle="", marker="o", markersize=9, label="selected")
    chosen.set(markerfacecolor="none", markeredgecolor="#D55E00")
    return [*dots, chosen, front]
