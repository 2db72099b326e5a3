"""Whether a model that was made smaller is worth having: smaller or faster than its source."""

from collections.abc import Sequence

from tasks.artifacts import Candidate, Cost

LEAST_SMALLER, LEAST_FASTER = 0.05, 0.02
"""Shares of the bytes, or of the p50 latency, that must be gone."""
SHRUNK = ("pruned", "compressed")


def idle_of(candidates: Sequence[Candidate], costs: Sequence[Cost]) -> dict[str, str]:
    """Why each shrunk bundle that gained nothing is refused, by name; those made from it too.

    Bundles are measured as exported, `costs` in the order of the candidates.
    """
    known = {c.name: (c, cost) for c, cost in zip(candidates, costs, strict=True)}
    idle: dict[str, str] = {}
    for candidate, cost in known.values():
        source = known.get(candidate.parent or "") if candidate.role in SHRUNK else None
        if source is not None and not _gains(*source, candidate, cost):
            idle[candidate.name] = _sentence(*source, candidate, cost)
    for candidate, _ in known.values():
        if candidate.role in SHRUNK and candidate.parent in idle:
            idle[candidate.name] = f"{candidate.name}: {candidate.parent} is refused, so is this"
    return idle


def _gains(source: Candidate, before: Cost, candidate: Candidate, after: Cost) -> bool:
    is_smaller = candidate.size_bytes <= source.size_bytes * (1 - LEAST_SMALLER)
    return is_smaller or after.latency_ms.p50 < before.latency_ms.p50 * (1 - _least(before, after))


def _least(before: Cost, after: Cost) -> float:
    """Share of the p50 that is more than noise, that of both measurements."""
    return max(LEAST_FASTER, before.latency_ms.noise + after.latency_ms.noise)


def _sentence(source: Candidate, before: Cost, candidate: Candidate, after: Cost) -> str:
    return (
        f"{candidate.name}: {candidate.size_bytes} bytes and p50 {after.latency_ms.p50:.3g} ms, "
        f"neither {LEAST_SMALLER:.0%} smaller nor faster beyond the noise of "
        f"{_least(before, after):.0%} than {source.name} "
        f"({source.size_bytes} bytes, {before.latency_ms.p50:.3g} ms)"
    )
