"""Which of several candidates no other one beats in everything."""

from collections.abc import Sequence


def pareto_front(points: Sequence[Sequence[float]]) -> list[bool]:
    """Which points no other one beats: at least as good in all, better in one. More is better."""
    return [not any(_beats(other, point) for other in points) for point in points]


def _beats(first: Sequence[float], second: Sequence[float]) -> bool:
    pairs = list(zip(first, second, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)
