"""Which candidate goes to the gate: the best on validation rows of those within the budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from tasks.artifacts import Artifact, Check, EvalReport
from tasks.evaluation.config import BudgetConfig
from tasks.evaluation.confusions import Metric

CONTENDERS = ("student", "pruned", "compressed")
"""A control only shows what the teacher is worth, and the teacher is what we shrink."""


class Selection(Artifact):
    """The chosen candidate, and how it stands to the budget."""

    name: str
    """The chosen one; the nearest to the budget when `fits` is false."""
    sha256: str
    """Of its bundle."""
    fits: bool
    baseline_sha256: str
    baseline_fits: bool
    reason: str
    checks: tuple[Check, ...]
    """The chosen one's."""
    beyond: dict[str, str] = Field(default_factory=dict)
    """What the budget forbids: by candidate, its figures and the limits."""


def select(reports: Sequence[EvalReport], budget: BudgetConfig, metric: Metric) -> Selection:
    """Best metric within the budget, ties by latency, size and name; else the baseline.

    Of a budget with `max_drop` the fastest within it, ties by size, metric and name.

    Reports are of the validation split: the holdout does not choose. Raises ValueError when there
    is nothing to choose from.
    """
    seen = [r.split for r in reports if r.split != "valid"]
    if seen:
        raise ValueError(f"selection looks at split 'valid' only, not at {seen[0]!r}")
    if any(metric not in r.metrics for r in reports):
        raise ValueError(f"gate.metric {metric} takes a target of two classes")
    contenders = [r for r in reports if r.candidate.role in CONTENDERS]
    baseline = next((r for r in reports if r.candidate.role == "baseline"), None)
    if not contenders or baseline is None:
        raise ValueError("selection needs a student and the baseline")
    limits = Limits(budget, metric, _reference(reports, metric))
    fitting = [r for r in contenders if limits.excess(r) <= 1]
    baseline_fits = limits.excess(baseline) <= 1
    chosen, reason = _choose(contenders, fitting, baseline if baseline_fits else None, limits)
    return Selection(
        name=chosen.candidate.name,
        sha256=chosen.candidate.sha256,
        fits=bool(fitting) or baseline_fits,
        baseline_sha256=baseline.candidate.sha256,
        baseline_fits=baseline_fits,
        reason=reason,
        checks=(limits.check(chosen),),
        beyond={
            r.candidate.name: limits.check(r).detail for r in contenders if limits.excess(r) > 1
        },
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget, and how good a candidate is that loses nothing."""

    budget: BudgetConfig
    metric: Metric
    reference: float
    """The metric of the teacher."""

    def excess(self, report: EvalReport) -> float:
        """The worst figure in units of its limit; at most 1 fits."""
        found = self._figures(report)
        return max((value / limit for _, value, limit, _ in found if limit is not None), default=0)

    def rank(self, report: EvalReport) -> tuple[float | str, ...]:
        """The best first, or where quality has a limit of its own the fastest."""
        candidate, score = report.candidate, -report.metrics[self.metric]
        costs = (report.cost.latency_ms.p50, candidate.size_bytes)
        figures = (score, *costs) if self.budget.max_drop is None else (*costs, score)
        return (*figures, candidate.name)

    def check(self, report: EvalReport) -> Check:
        """Each figure beside its limit."""
        parts = [
            f"{name} {value:.3g}{unit} "
            + ("(no limit)" if limit is None else f"{_sign(value, limit)} {limit:g}{unit}")
            for name, value, limit, unit in self._figures(report)
        ]
        name = f"budget {report.candidate.name}"
        return Check(name=name, passed=self.excess(report) <= 1, detail=", ".join(parts))

    def _figures(self, report: EvalReport) -> list[tuple[str, float, float | None, str]]:
        cost, budget = report.cost, self.budget
        found: list[tuple[str, float, float | None, str]] = [
            ("p95", cost.latency_ms.p95, budget.p95_ms, " ms"),
            ("size", report.candidate.size_bytes / 1e6, budget.size_mb, " MB"),
            ("memory", cost.peak_memory_mb, budget.memory_mb, " MB"),
        ]
        if budget.max_drop is not None:
            drop = self.reference - report.metrics[self.metric]
            found.append((f"{self.metric} lost", drop, budget.max_drop, ""))
        return found


def _reference(reports: Sequence[EvalReport], metric: Metric) -> float:
    """The teacher's; one that has no form to be measured in is stood in for by the best."""
    teachers = [r for r in reports if r.candidate.role == "teacher"]
    return max(r.metrics[metric] for r in teachers or reports)


def standings(selection: Selection, proof: Sequence[EvalReport]) -> dict[str, str]:
    """What each bundle that saw the holdout is to the chosen one, by digest; that one first."""
    found = {selection.sha256: f"chosen: {selection.name}"}
    for report in proof:
        candidate = report.candidate
        standing = "champion"
        if candidate.sha256 == selection.baseline_sha256 or candidate.role == "teacher":
            standing = candidate.role
        found.setdefault(candidate.sha256, f"{standing}: {candidate.name}")
    return found


def _choose(
    contenders: Sequence[EvalReport],
    fitting: Sequence[EvalReport],
    baseline: EvalReport | None,
    limits: Limits,
) -> tuple[EvalReport, str]:
    if fitting:
        best = min(fitting, key=limits.rank)
        score = f"valid {limits.metric} {best.metrics[limits.metric]:.4f}"
        so = "best" if limits.budget.max_drop is None else "fastest"
        many = f"{len(fitting)} of {len(contenders)} candidates that fit the budget"
        return best, f"{best.candidate.name}: {score}, the {so} of {many}"
    nearest = min(contenders, key=lambda r: (limits.excess(r), limits.rank(r)))
    broken = limits.check(nearest).detail
    sentence = f"no student fits the budget; nearest is {nearest.candidate.name}: {broken}"
    if baseline is None:
        return nearest, sentence
    return baseline, f"{sentence}; the baseline {baseline.candidate.name} fits and stands in"


def _sign(value: float, limit: float) -> str:
    return "within" if value <= limit else "ABOVE"
