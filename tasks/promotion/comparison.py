"""Candidates side by side, by the figures that every child run shares. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal

from tasks.artifacts import Artifact
from tasks.evaluation.front import pareto_front
from tasks.promotion.config import USUAL_METRICS

Standing = Literal["champion", "selected", ""]
QUALITIES = tuple(f"valid/{metric}" for metric in USUAL_METRICS)
"""Rows are ordered by the first of these that was measured."""
LATENCY, SIZE = "latency/p50_ms", "size/bytes"


class Row(Artifact):
    """One candidate of the latest run, or the champion from an earlier one."""

    name: str
    role: str
    version: int | None
    mark: Standing
    pareto: bool
    """No other row is at least as good in quality, latency and size and better in one."""
    metrics: dict[str, float]


class Seen(Artifact):
    """One child run."""

    name: str
    role: str
    bundle: str
    metrics: dict[str, float]


def compare(
    seen: Sequence[Seen], champion: str | None, selected: str | None, versions: Mapping[str, int]
) -> list[Row]:
    """Rows by quality, best first; `champion` and the keys of `versions` are bundle digests."""
    known = {name for item in seen for name in item.metrics}
    quality = next((name for name in QUALITIES if name in known), QUALITIES[0])
    rows = [item for item in seen if {quality, LATENCY, SIZE} <= item.metrics.keys()]
    points = [(row.metrics[quality], -row.metrics[LATENCY], -row.metrics[SIZE]) for row in rows]
    made = [
        Row(
            name=row.name,
            role=row.role,
            version=versions.get(row.bundle),
            mark=_mark(row, champion, selected),
            pareto=best,
            metrics=row.metrics,
        )
        for row, best in zip(rows, pareto_front(points), strict=True)
    ]
    return sorted(made, key=lambda row: (-row.metrics[quality], row.name))


def _mark(row: Seen, champion: str | None, selected: str | None) -> Standing:
    if champion is not None and row.bundle == champion:
        return "champion"
    return "selected" if row.name == selected else ""
