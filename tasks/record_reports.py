"""Figures of every candidate, as exported, to MLflow."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import tracking
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, EvalReport, RunRef, Task
from tasks.data.snapshot import split_rows
from tasks.evaluation.plots import ConfusionSheet, plot_bits, plot_hits, plot_predicted
from tasks.evaluation.recommended import hits_by_place, truth_of
from tasks.evaluation.samples import write_samples
from tasks.packaging.answers import load_answers
from tasks.packaging.predictor.language import bits_per_byte
from tasks.promotion.records import child_key, child_tags, figures_of
from tasks.step import step

Draw = Callable[[EvalReport, Path], Path]
"""Draws what was answered into a folder."""


@step()
def record_reports(run: RunRef, reports: list[EvalReport], dataset: DatasetRef) -> dict[str, str]:
    """Write each report to its candidate's child run; run ids by name."""
    by_candidate: dict[str, list[EvalReport]] = {}
    for report in reports:
        by_candidate.setdefault(child_key(run, report.candidate), []).append(report)
    draw = PICTURES[dataset.task](dataset)
    return {
        about[0].candidate.name: _record(run, about, dataset, draw)
        for about in by_candidate.values()
    }


def _record(run: RunRef, reports: list[EvalReport], dataset: DatasetRef, draw: Draw) -> str:
    """Write what is known of one candidate, a report for each split that it was judged on."""
    candidate = reports[0].candidate
    params = {"role": candidate.role, "parent": candidate.parent, "params": candidate.params}
    figures = {name: value for report in reports for name, value in figures_of(report).items()}
    key, tags = child_key(run, candidate), child_tags(candidate)
    child = tracking.child_run(run.run_id, key, candidate.name, tags, params, figures)
    with TemporaryDirectory() as folder:
        for report in reports:
            tracking.log_dataset(child, dataset.name, dataset.sha256, dataset.uri, str(report.rows))
            draw(report, Path(folder))
        tracking.log_files(child, Path(folder), "plots")
    tracking.end_run(child, "FINISHED")
    return child


def _confusions(dataset: DatasetRef) -> Draw:
    """Who was taken for whom."""
    sheet = ConfusionSheet(dataset.classes)
    return lambda report, folder: sheet.draw(report, folder / f"confusion_{report.split}.png")


def _predicted(dataset: DatasetRef, report: EvalReport, folder: Path) -> Path:
    """What was predicted over what is true."""
    storage = open_storage()
    truth = split_rows(storage.fetch_folder(dataset.uri), dataset, report.split).labels
    found = load_answers(storage.fetch_folder(report.predictions_uri))[:, 0]
    return plot_predicted(report, truth, found, folder / f"predicted_{report.split}.png")


def _hits(dataset: DatasetRef, report: EvalReport, folder: Path) -> Path:
    """At which places of the answer the items of the holdout were found."""
    storage = open_storage()
    rows = split_rows(storage.fetch_folder(dataset.uri), dataset, report.split)
    found = load_answers(storage.fetch_folder(report.predictions_uri))
    hits = hits_by_place(found, truth_of(rows, dataset))
    return plot_hits(report, hits, folder / f"hits_{report.split}.png")


def _told(dataset: DatasetRef, report: EvalReport, folder: Path) -> Path:
    """How many bits each text takes, and, in a page beside it, how some of them may go on."""
    storage = open_storage()
    found = load_answers(storage.fetch_folder(report.predictions_uri))
    rows = split_rows(storage.fetch_folder(dataset.uri), dataset, report.split)
    bundle = storage.fetch_folder(report.candidate.uri)
    pages = folder / f"texts_{report.split}"
    plot_bits(report, bits_per_byte(found), pages / "bits_per_byte.png")
    write_samples(bundle, rows, pages / "continuations.md")
    return pages


PICTURES: dict[Task, Callable[[DatasetRef], Draw]] = {
    "classification": _confusions,
    "regression": lambda dataset: partial(_predicted, dataset),
    "ranking": lambda dataset: partial(_hits, dataset),
    "generation": lambda dataset: partial(_told, dataset),
}
"""What is drawn of the answers to a split."""
