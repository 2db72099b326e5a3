"""Where the chosen candidate is good and where it is not: slices, robustness, mistakes."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import tracking
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, EvalReport, RunRef
from tasks.compression.gain import shrunk_from
from tasks.evaluation.case import judged_rows
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.confusions import Metric
from tasks.evaluation.examination import Subject, examine
from tasks.evaluation.quality_files import write_report
from tasks.packaging.answers import load_answers
from tasks.promotion.records import child_key, child_tags, quality_figures
from tasks.promotion.selection import Selection, standings
from tasks.quality_artifacts import QualityReport
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def report_quality(
    run: RunRef,
    selection: Selection,
    reports: list[EvalReport],
    dataset: DatasetRef,
    config: EvaluateConfig,
    metric: Metric,
) -> QualityReport:
    """Examine the chosen bundle on the holdout; pages, pictures and figures to its child run.

    `reports` are of both splits: the holdout's proof, and all candidates on validation rows.
    """
    proof = [report for report in reports if report.split == "test"]
    chosen = next(report for report in proof if report.candidate.sha256 == selection.sha256)
    data = open_storage().fetch_folder(dataset.uri)
    subject = _subject(chosen, selection, [r for r in reports if r.split == "valid"], proof)
    report, wrong = examine(subject, data, dataset, config, metric)
    key, tags = child_key(run, chosen.candidate), child_tags(chosen.candidate)
    child = tracking.child_run(
        run.run_id, key, chosen.candidate.name, tags, {}, quality_figures(report)
    )
    with TemporaryDirectory() as folder:
        truth = judged_rows(data, dataset, "test").labels
        write_report(report, wrong, subject, truth, dataset, Path(folder))
        tracking.log_files(child, Path(folder))
    log.info(
        "%s: %d slices, %d probes", report.candidate, *map(len, (report.slices, report.robustness))
    )
    return report


def _subject(
    chosen: EvalReport, selection: Selection, reports: list[EvalReport], proof: list[EvalReport]
) -> Subject:
    """The chosen bundle, with the answers of all on the holdout, and on validation rows its own
    and those of what it was shrunk from."""
    storage = open_storage()
    line = shrunk_from(chosen.candidate, reports)
    on_holdout, on_valid = (
        {r.candidate.sha256: load_answers(storage.fetch_folder(r.predictions_uri)) for r in seen}
        for seen in (proof, line)
    )
    return Subject(
        chosen=chosen,
        bundle=storage.fetch_folder(chosen.candidate.uri),
        contenders=standings(selection, proof),
        answers=on_holdout,
        compressed={report.candidate.sha256: report.candidate.name for report in line},
        valid_answers=on_valid,
    )
