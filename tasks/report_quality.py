"""Where the chosen candidate is good and where it is not: slices, robustness, mistakes."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import tracking
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, EvalReport, QualityReport, RunRef
from tasks.data.snapshot import split_rows
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.confusions import Metric
from tasks.evaluation.examination import (
    Subject,
    can_be_examined,
    examine,
    nothing_of,
    write_report,
)
from tasks.packaging.answers import load_answers
from tasks.promotion.records import child_key, child_tags, quality_figures
from tasks.promotion.selection import Selection, standings
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def report_quality(
    run: RunRef,
    selection: Selection,
    proof: list[EvalReport],
    dataset: DatasetRef,
    config: EvaluateConfig,
    metric: Metric,
) -> QualityReport:
    """Examine the chosen bundle on the holdout; pages, pictures and figures to its child run."""
    storage, data = open_storage(), open_storage().fetch_folder(dataset.uri)
    chosen = next(report for report in proof if report.candidate.sha256 == selection.sha256)
    if not can_be_examined(dataset):
        return nothing_of(chosen, metric)
    subject = Subject(
        chosen,
        storage.fetch_folder(chosen.candidate.uri),
        standings(selection, proof),
        {r.candidate.sha256: load_answers(storage.fetch_folder(r.predictions_uri)) for r in proof},
    )
    report, mistakes = examine(subject, data, dataset, config, metric)
    key, tags = child_key(run, chosen.candidate), child_tags(chosen.candidate)
    child = tracking.child_run(run.run_id, key, chosen.candidate.name, tags, {})
    with TemporaryDirectory() as folder:
        labels = split_rows(data, dataset, "test").labels
        write_report(report, mistakes, subject, labels, dataset.classes, Path(folder))
        tracking.log_files(child, Path(folder))
    tracking.log_metrics(child, quality_figures(report))
    log.info(
        "%s: %d slices, %d probes", report.candidate, *map(len, (report.slices, report.robustness))
    )
    return report
