"""The report on quality as files: two pages, pictures, and all figures as JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.artifacts import DatasetRef, Task
from tasks.evaluation.calibration import without_temperature
from tasks.evaluation.examination import Subject, Wrong
from tasks.evaluation.judging import Answers
from tasks.evaluation.language_quality import LEAST_BYTES
from tasks.evaluation.mistakes_html import OCCLUDED, SURPRISE, mistakes_page
from tasks.evaluation.plots import plot_reliability
from tasks.evaluation.quality_html import quality_page
from tasks.evaluation.quality_plots import (
    plot_importance,
    plot_residuals,
    plot_robustness,
    plot_slices,
)
from tasks.evaluation.recommended import by_user
from tasks.packaging.predictor.language import bits_per_byte
from tasks.quality_artifacts import QualityReport


def write_report(
    report: QualityReport,
    wrong: Wrong,
    subject: Subject,
    truth_N: Answers,
    dataset: DatasetRef,
    folder: Path,
) -> None:
    """Fill `folder` with `report/` (two pages, one JSON) and `plots/`."""
    chosen, pages = subject.chosen, folder / "report"
    pages.mkdir(parents=True)
    drawn = [*_drawn(report, folder / "plots")]
    about = ABOUT[dataset.task]
    if about.draw:
        drawn.append(about.draw(report, subject, truth_N, folder / "plots"))
    page = quality_page(report, chosen, drawn)
    (pages / "quality.html").write_text(page, encoding="utf-8")
    said = about.sentence(subject, truth_N), about.worst, about.legend
    page = mistakes_page(report.candidate, dataset.kind, said, wrong.confusions, wrong.mistakes)
    (pages / "mistakes.html").write_text(page, encoding="utf-8")
    (pages / "quality.json").write_text(report.model_dump_json(indent=1), encoding="utf-8")


def _drawn(report: QualityReport, plots: Path) -> list[Path]:
    drawn = [plot_slices(report, plots / "slices.png")]
    if report.robustness:
        drawn.append(plot_robustness(report, plots / "robustness.png"))
    if report.importance:
        drawn.append(plot_importance(report, plots / "importance.png"))
    return drawn


def _reliability(report: QualityReport, subject: Subject, truth_N: Answers, plots: Path) -> Path:
    """The chosen one's confidence; also without its temperature, if it has one."""
    found = {report.candidate: subject.found}
    if report.calibration is not None:
        before = without_temperature(subject.found, report.calibration.temperature)
        found["without its temperature"] = before
    return plot_reliability(found, truth_N, plots / "reliability.png")


def _residuals(report: QualityReport, subject: Subject, truth_N: Answers, plots: Path) -> Path:
    found_N = subject.found[:, 0]
    return plot_residuals(report.candidate, truth_N, found_N, plots / "residuals.png")


def _wrong_classes(subject: Subject, truth_N: Answers) -> str:
    wrong = int((subject.found.argmax(axis=1) != truth_N).sum())
    return f"{wrong:,} of {len(truth_N):,} holdout rows got another answer than their label."


def _wrong_numbers(subject: Subject, truth_N: Answers) -> str:
    errors_N = subject.found[:, 0] - truth_N
    half, most = np.quantile(np.abs(errors_N), (0.5, 0.95))
    return (
        f"Of {len(truth_N):,} holdout rows half are answered to within {half:.4g}, 95 % to within "
        f"{most:.4g}; on average the answers are {abs(errors_N.mean()):.4g} too "
        f"{'high' if errors_N.mean() > 0 else 'low'}."
    )


def _unserved(subject: Subject, truth_N: Answers) -> str:
    recall_U = by_user(subject.found, truth_N)[1]
    return (
        f"{int((recall_U == 0).sum()):,} of {len(recall_U):,} users of the holdout were offered "
        "none of the items that they met."
    )


def _spread(subject: Subject, truth_N: Answers) -> str:
    del truth_N
    half, most = np.quantile(bits_per_byte(subject.found), (0.5, 0.95))
    return (
        f"Of {len(subject.found):,} holdout texts half take up to {half:.3f} bits a byte, 95 % up "
        f"to {most:.3f}. Texts of under {LEAST_BYTES} bytes are not shown."
    )


@dataclass(frozen=True, slots=True)
class About:
    """What one task has beside the figures of all."""

    sentence: Callable[[Subject, Answers], str]
    """About all answers."""
    worst: str = "Worst mistakes"
    """What the mistakes are called."""
    legend: str = OCCLUDED
    """What a mark on a part of a row means."""
    draw: Callable[[QualityReport, Subject, Answers, Path], Path] | None = None
    """A picture of all answers to the holdout."""


ABOUT: dict[Task, About] = {
    "classification": About(_wrong_classes, draw=_reliability),
    "regression": About(_wrong_numbers, draw=_residuals),
    "ranking": About(_unserved, "Worst-served users"),
    "generation": About(_spread, "Most surprising texts", SURPRISE),
}
"""By task."""
