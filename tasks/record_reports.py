"""Figures of every candidate, as exported, to MLflow."""

from pathlib import Path
from tempfile import TemporaryDirectory

from infra import tracking
from tasks.artifacts import DatasetRef, EvalReport, RunRef
from tasks.evaluation.plots import plot_confusion
from tasks.promotion.records import child_key, child_tags, figures_of
from tasks.step import step


@step()
def record_reports(run: RunRef, reports: list[EvalReport], dataset: DatasetRef) -> dict[str, str]:
    """Write each report to its candidate's child run; run ids by name."""
    return {report.candidate.name: _record(run, report, dataset) for report in reports}


def _record(run: RunRef, report: EvalReport, dataset: DatasetRef) -> str:
    candidate = report.candidate
    params = {"role": candidate.role, "parent": candidate.parent, "params": candidate.params}
    key, tags = child_key(run, candidate), child_tags(candidate)
    child = tracking.child_run(run.run_id, key, candidate.name, tags, params)
    tracking.set_tags(child, tags)
    tracking.log_metrics(child, figures_of(report))
    tracking.log_dataset(child, dataset.name, dataset.sha256, dataset.uri, str(report.rows))
    with TemporaryDirectory() as folder:
        name = f"confusion_{report.split}.png"
        picture = plot_confusion(report, dataset.classes, Path(folder) / name)
        tracking.log_files(child, picture, "plots")
    tracking.end_run(child, "FINISHED")
    return child
