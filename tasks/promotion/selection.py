"""Which candidate goes to the gate: the best on validation rows of those within the budget."""

from collections.abc import Sequence

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
    fitting = [r for r in contenders if _excess(r, budget) <= 1]
    baseline_fits = _excess(baseline, budget) <= 1
    chosen, reason = _choose(
        contenders, fitting, baseline if baseline_fits else None, budget, metric
    )
    return Selection(
        name=chosen.candidate.name,
        sha256=chosen.candidate.sha256,
        fits=bool(fitting) or baseline_fits,
        baseline_sha256=baseline.candidate.sha256,
        baseline_fits=baseline_fits,
        reason=reason,
        checks=(_budget_check(chosen, budget),),
        beyond={
            r.candidate.name: _budget_check(r, budget).detail
            for r in contenders
            if _excess(r, budget) > 1
        },
    )


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
    budget: BudgetConfig,
    metric: Metric,
) -> tuple[EvalReport, str]:
    if fitting:
        best = min(fitting, key=lambda r: _rank(r, metric))
        score = f"valid {metric} {best.metrics[metric]:.4f}"
        many = f"{len(fitting)} of {len(contenders)} candidates that fit the budget"
        return best, f"{best.candidate.name}: {score}, the best of {many}"
    nearest = min(contenders, key=lambda r: (_excess(r, budget), _rank(r, metric)))
    broken = _budget_check(nearest, budget).detail
    sentence = f"no student fits the budget; nearest is {nearest.candidate.name}: {broken}"
    if baseline is None:
        return nearest, sentence
    return baseline, f"{sentence}; the baseline {baseline.candidate.name} fits and stands in"


def _rank(report: EvalReport, metric: Metric) -> tuple[float, float, int, str]:
    candidate = report.candidate
    return (
        -report.metrics[metric],
        report.cost.latency_ms.p50,
        candidate.size_bytes,
        candidate.name,
    )


def _limits(report: EvalReport, budget: BudgetConfig) -> list[tuple[str, float, float | None, str]]:
    cost = report.cost
    return [
        ("p95", cost.latency_ms.p95, budget.p95_ms, "ms"),
        ("size", report.candidate.size_bytes / 1e6, budget.size_mb, "MB"),
        ("memory", cost.peak_memory_mb, budget.memory_mb, "MB"),
    ]


def _excess(report: EvalReport, budget: BudgetConfig) -> float:
    """The worst figure in units of its limit; at most 1 fits."""
    limits = _limits(report, budget)
    return max((value / limit for _, value, limit, _ in limits if limit is not None), default=0.0)


def _budget_check(report: EvalReport, budget: BudgetConfig) -> Check:
    parts = [
        f"{name} {value:.3g} {unit} "
        + ("(no limit)" if limit is None else f"{_sign(value, limit)} {limit:g} {unit}")
        for name, value, limit, unit in _limits(report, budget)
    ]
    name = f"budget {report.candidate.name}"
    return Check(name=name, passed=_excess(report, budget) <= 1, detail=", ".join(parts))


def _sign(value: float, limit: float) -> str:
    return "within" if value <= limit else "ABOVE"
