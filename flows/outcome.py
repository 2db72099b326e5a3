"""What one retraining came to: references and figures, enough to print and to compare."""

from typing import Any

from pydantic import Field

from tasks.artifacts import Artifact, Candidate, DatasetRef, Decision, EvalReport, RunRef
from tasks.costs.shares import Spending
from tasks.promotion.selection import Selection
from tasks.quality_artifacts import QualityReport, SeedGain
from tasks.sweep_artifacts import Choice

REPORTED = {"slices", "robustness", "importance", "calibration", "compressed", "compression"}
"""Of the report on the chosen candidate."""


class Outcome(Artifact):
    """The answer of the `retrain` flow."""

    project: str
    run: RunRef
    dataset: DatasetRef
    reports: tuple[EvalReport, ...]
    """One for each candidate, on validation rows."""
    proof: tuple[EvalReport, ...]
    """On the holdout: the selected one, teacher, baseline, champion."""
    selection: Selection
    quality: QualityReport
    """Where the selected one is good and where it is not."""
    decision: Decision
    version: int | None
    choice: Choice | None = None
    """Settings that a sweep found, or why the file's were kept; None where none was made."""
    refused: dict[str, str] = Field(default_factory=dict)
    """Why each model that was made smaller and gained nothing is no candidate, by name."""
    seeds: tuple[SeedGain, ...] = ()
    """What the teacher is worth to each student, where several seeds were asked for."""
    spent: Spending | None = None
    """What the run cost; known once all its steps have ended."""

    def summary(self) -> dict[str, Any]:
        """Return the documented JSON of a run, the steps aside."""
        return {
            "project": self.project,
            "run_id": self.run.run_id,
            "run_url": self.run.url,
            "dataset": {
                "uri": self.dataset.uri,
                "sha256": self.dataset.sha256,
                "rows": self.dataset.rows,
            },
            "candidates": [self._candidate(report) for report in self.reports],
            "refused": self.refused,
            "selected": self.selection.name,
            "beyond_budget": self.selection.beyond,
            "quality": self.quality.model_dump(include=REPORTED),
            "seeds": [gain.model_dump() for gain in self.seeds],
            "decision": self.decision.model_dump(include={"verdict", "reason", "checks"}),
            "version": self.version,
            "choice": self.choice.model_dump() if self.choice else None,
            "spent": self.spent.model_dump() if self.spent else None,
        }

    def _candidate(self, report: EvalReport) -> dict[str, Any]:
        on_holdout = [p for p in self.proof if p.candidate.sha256 == report.candidate.sha256]
        metrics = {
            f"{seen.split}/{name}": value
            for seen in (report, *on_holdout)
            for name, value in seen.figures.items()
        }
        return {**_identity(report.candidate), **_cost(report), "metrics": metrics}


def _identity(candidate: Candidate) -> dict[str, Any]:
    fields = {"name", "role", "parent", "size_bytes", "params", "zeros", "zipped_bytes"}
    return candidate.model_dump(include=fields)


def _cost(report: EvalReport) -> dict[str, Any]:
    cost = report.cost
    return {
        "latency_ms": cost.latency_ms.model_dump(),
        "eager_p50_ms": cost.eager_p50_ms,
        "eager_memory_mb": cost.eager_memory_mb,
        "rows_per_second": cost.rows_per_second,
        "peak_memory_mb": cost.peak_memory_mb,
    }
