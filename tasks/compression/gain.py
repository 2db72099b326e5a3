"""Whether a model that was made smaller is worth having: smaller or faster than its source."""

import logging
from collections.abc import Iterable, Sequence

from tasks.artifacts import Candidate, Cost, EvalReport
from tasks.compression.config import QuantizeConfig

LEAST_SMALLER, LEAST_FASTER = 0.05, 0.02
"""Shares of the bytes, or of the p50 latency, that must be gone."""
SHRUNK = ("pruned", "compressed")

log = logging.getLogger(__name__)


def is_smaller(size_bytes: int, source_bytes: int) -> bool:
    """Whether so many bytes are a gain by themselves."""
    return size_bytes <= source_bytes * (1 - LEAST_SMALLER)


def is_made(source: Candidate, form: QuantizeConfig) -> bool:
    """Whether a float bundle is quantised so: what was trained for a form, in that form alone."""
    if form.aware:
        return source.form == form.name
    return source.role in ("student", "pruned")


def each_once(forms: Iterable[Candidate]) -> list[Candidate]:
    """Return the forms that are bundles of their own; a second name of one is said, and left out.

    A form that may keep layers in float and had to keep none is its plain form.
    """
    first: dict[tuple[str | None, str], Candidate] = {}
    for form in forms:
        if (same := first.setdefault((form.parent, form.sha256), form)) is not form:
            log.warning("%s is the same bundle as %s, and no candidate", form.name, same.name)
    return list(first.values())


def shrunk_from(chosen: Candidate, reports: Iterable[EvalReport]) -> list[EvalReport]:
    """Reports of the chosen one and of what it was shrunk from, the whole float model first; none
    where it was not shrunk."""
    known = {report.candidate.name: report for report in reports}
    line = [known[chosen.name]] if chosen.role in SHRUNK else []
    while line and line[0].candidate.role in SHRUNK:
        line.insert(0, known[str(line[0].candidate.parent)])
    return line


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


def _is_zeroed_alone(source: Candidate, candidate: Candidate) -> bool:
    """Whether it is its source with zeros: then a call is faster by chance alone."""
    return candidate.zeros > source.zeros and candidate.params == source.params


def _gains(source: Candidate, before: Cost, candidate: Candidate, after: Cost) -> bool:
    if _is_zeroed_alone(source, candidate):
        return False
    if is_smaller(candidate.size_bytes, source.size_bytes):
        return True
    return after.latency_ms.p50 < before.latency_ms.p50 * (1 - _least(before, after))


def _least(before: Cost, after: Cost) -> float:
    """Share of the p50 that is more than noise, that of both measurements."""
    return max(LEAST_FASTER, before.latency_ms.noise + after.latency_ms.noise)


def _sentence(source: Candidate, before: Cost, candidate: Candidate, after: Cost) -> str:
    if _is_zeroed_alone(source, candidate):
        return f"{candidate.name}: {candidate.said_of_zeros}; {source.name} is as large and as fast"
    return (
        f"{candidate.name}: {candidate.size_bytes} bytes and p50 {after.latency_ms.p50:.3g} ms, "
        f"neither {LEAST_SMALLER:.0%} smaller nor faster beyond the noise of "
        f"{_least(before, after):.0%} than {source.name} "
        f"({source.size_bytes} bytes, {before.latency_ms.p50:.3g} ms)"
    )
