"""The summary table of one retraining."""

from collections.abc import Iterable
from typing import Any

from rich.table import Table

from flows.cli.console import out
from flows.outcome import Outcome
from tasks.artifacts import EvalReport
from tasks.costs.cost import Cost
from tasks.costs.shares import Spending, told

MB = 1_000_000
RANKED = ("ndcg", "recall")
HEADINGS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "roc_auc": "ROC AUC",
    "r2": "R2",
    "rmse": "RMSE",
    "mae": "MAE",
    "ndcg": "NDCG",
    "recall": "recall",
    "hit_rate": "hit rate",
    "coverage": "coverage",
    "bits_saved": "bits saved",
    "bits_per_byte": "bits/byte",
    "perplexity": "perplexity",
    "log_loss": "log loss",
    "calibration_error": "calibration error",
}

LANGUAGE = ("bits_per_byte", "perplexity")


def print_outcome(outcome: Outcome, prefect_url: str, steps: list[dict[str, Any]]) -> None:
    """Print candidates, the holdout's figures, the decision and where to look further."""
    out.print(candidates_table(outcome))
    _print_candidates(outcome)
    for gain in outcome.seeds:
        out.print(str(gain), markup=False, highlight=False, soft_wrap=True)
    out.print(holdout_table(outcome))
    if outcome.quality.calibration is not None:
        said = f"{outcome.selection.name}: {outcome.quality.calibration}"
        out.print(said, highlight=False, soft_wrap=True)
    for check in outcome.decision.checks:
        out.print(
            f"  {'✓' if check.passed else '✗'} {check.name}: {check.detail}",
            markup=False,
            soft_wrap=True,
        )
    _print_end(outcome)
    if steps and all(step["state"] == "cached" for step in steps):
        out.print("nothing changed since the last run: every step was reused")
    out.print(f"MLflow   {outcome.run.url}", soft_wrap=True)
    out.print(f"Prefect  {prefect_url.removesuffix('/api')}", soft_wrap=True)


def _print_candidates(outcome: Outcome) -> None:
    """What the table does not say of them, and who is none."""
    for report in outcome.reports:
        name, cost = report.candidate.name, report.cost
        if cost.eager_p50_ms is not None:
            eager = f"p50 {cost.eager_p50_ms:.2f} ms, {cost.eager_memory_mb or 0:.0f} MB"
            out.print(f"{name}: {eager} in eager torch", highlight=False)
        if zeros := report.candidate.said_of_zeros:
            out.print(f"{name}: {zeros}", highlight=False, soft_wrap=True)
    for sentence in outcome.refused.values():
        out.print(f"no candidate: {sentence}", markup=False, highlight=False, soft_wrap=True)
    for name, figures in outcome.selection.beyond.items():
        out.print(f"{name}: beyond the budget, {figures}", markup=False, soft_wrap=True)


def _print_end(outcome: Outcome) -> None:
    """The decision, the settings if they were searched for, what it cost."""
    version = f", version {outcome.version}" if outcome.version is not None else ""
    verdict = outcome.decision.verdict
    out.print(f"\n[bold]{verdict}[/bold]{version}: {outcome.decision.reason}", soft_wrap=True)
    if outcome.choice:
        out.print(f"settings {outcome.choice.reason}", highlight=False, soft_wrap=True)
    if outcome.spent:
        line = cost_line(outcome.decision.candidate, outcome.spent)
        out.print(line, highlight=False, soft_wrap=True)


def cost_line(chosen: str, spent: Spending) -> str:
    """What all steps cost, what of it now, and what the chosen model took."""
    when = f"{told(spent.now)} of it now, the rest in earlier runs"
    if spent.now == spent.whole:
        when = "all of it now"
    elif spent.now == Cost():
        when = "all of it in earlier runs"
    whole, model = told(spent.whole), told(spent.model)
    return f"cost     {whole} (energy estimated), {when}; {chosen} took {model}"


def candidates_table(outcome: Outcome) -> Table:
    """Return every candidate as exported, on validation rows; `*` marks the selected one."""
    table = Table(title=f"{outcome.project}: candidates on {outcome.reports[0].rows:,} valid rows")
    for heading in ("candidate", "role"):
        table.add_column(heading, no_wrap=True)
    names = ("accuracy", "macro_f1", "roc_auc", "r2", "rmse", *RANKED, *LANGUAGE)
    quality = _shown(outcome.reports[0], *names)
    for heading in (*quality.values(), "p50 ms", "p95 ms", "rows/s", "MB", "peak MB"):
        table.add_column(heading, justify="right")
    for report in outcome.reports:
        mark = "*" if report.candidate.name == outcome.selection.name else " "
        row = (f"{mark} {report.candidate.name}", report.candidate.role, *_figures(report, quality))
        table.add_row(*row, style="bold" if mark == "*" else None)
    return table


def holdout_table(outcome: Outcome) -> Table:
    """Return the figures on the holdout, which only these candidates have seen."""
    table = Table(title=f"on the holdout of {outcome.proof[0].rows:,} rows, intervals at 95 %")
    table.add_column("candidate", no_wrap=True)
    quality = _shown(outcome.proof[0], *HEADINGS)
    for heading in quality.values():
        table.add_column(heading, justify="right")
    for report in outcome.proof:
        table.add_row(report.candidate.name, *(_with_interval(report, name) for name in quality))
    return table


def _with_interval(report: EvalReport, name: str) -> str:
    """The figure, and below it the interval that it has at 95 %."""
    value = f"{report.metrics[name]:.4f}"
    if name not in report.intervals:
        return value
    low, high = report.intervals[name]
    return f"{value}\n[dim]{low:.3f}-{high:.3f}[/dim]"


def _shown(report: EvalReport, *names: str) -> dict[str, str]:
    """Headings of those figures that the report has."""
    return {name: HEADINGS[name] for name in names if name in report.metrics}


def _figures(report: EvalReport, quality: Iterable[str]) -> tuple[str, ...]:
    cost = report.cost
    return (
        *(f"{report.metrics[name]:.4f}" for name in quality),
        f"{cost.latency_ms.p50:.2f} ± {cost.latency_ms.noise:.0%}",
        f"{cost.latency_ms.p95:.2f}",
        f"{cost.rows_per_second:,.0f}",
        f"{report.candidate.size_bytes / MB:.3g}",
        f"{cost.peak_memory_mb:.0f}",
    )
