"""All that is reported about the chosen candidate, from its bundle, a snapshot and kept answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.artifacts import Calibration, DatasetRef, EvalReport, QualityReport
from tasks.data.probes import PROBES
from tasks.data.slicing import sliced_by_value
from tasks.data.snapshot import Rows, split_rows
from tasks.evaluation.calibration import calibration_of, without_temperature
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.confusions import Metric
from tasks.evaluation.metrics import Probabilities
from tasks.evaluation.plots import plot_reliability
from tasks.evaluation.probing import (
    Answer,
    Mistake,
    explained,
    importance_of,
    robustness_of,
    slices_of,
    worst_rows,
)
from tasks.evaluation.quality_html import mistakes_page, quality_page
from tasks.evaluation.quality_plots import plot_importance, plot_robustness, plot_slices
from tasks.packaging.bundle import read_facts
from tasks.packaging.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is looked at: the chosen bundle, and the holdout's answers of all that saw it."""

    chosen: EvalReport
    bundle: Path
    contenders: Mapping[str, str]
    """What each bundle is called, by its digest; the chosen one first."""
    answers: Mapping[str, Probabilities]
    """Of every holdout row, by the bundle's digest."""

    @property
    def probabilities(self) -> Probabilities:
        """The chosen one's."""
        return self.answers[self.chosen.candidate.sha256]


def nothing_of(chosen: EvalReport, metric: Metric) -> QualityReport:
    """The report on a candidate of whose rows or answers no question is known."""
    return QualityReport(
        candidate=chosen.candidate.name,
        sha256=chosen.candidate.sha256,
        metric=metric,
        contenders={},
        slices=(),
        robustness=(),
        importance=(),
    )


def can_be_examined(dataset: DatasetRef) -> bool:
    """Whether the kind of rows has its questions; those of numbers are not written yet."""
    return dataset.task == "classification" and dataset.kind in PROBES


def examine(
    subject: Subject, data: Path, dataset: DatasetRef, config: EvaluateConfig, metric: Metric
) -> tuple[QualityReport, list[Mistake]]:
    """Slices of all contenders; robustness, importance and worst mistakes of the chosen one."""
    holdout, training = split_rows(data, dataset, "test"), split_rows(data, dataset, "train")
    answer = Predictor.load(subject.bundle, threads=2).probabilities
    probed = holdout.take(_some(len(holdout), config))
    damaged = PROBES[dataset.kind].damaged(probed.columns, dataset.types, config.seed)
    several = len(dataset.inputs) > 1
    report = QualityReport(
        candidate=subject.chosen.candidate.name,
        sha256=subject.chosen.candidate.sha256,
        metric=metric,
        contenders=dict(subject.contenders),
        slices=tuple(
            slices_of(
                _slicings(holdout, training, dataset, config.slices),
                holdout.labels,
                subject.answers,
                metric,
                config.slice_rows,
            )
        ),
        robustness=tuple(robustness_of(answer, probed, damaged, metric)),
        importance=tuple(importance_of(answer, probed, metric, config.seed) if several else ()),
        calibration=_calibration(subject, holdout),
    )
    return report, _mistakes(answer, subject, holdout, dataset, config.mistakes)


def write_report(
    report: QualityReport,
    mistakes: Sequence[Mistake],
    subject: Subject,
    labels: np.ndarray,
    classes: Sequence[str],
    folder: Path,
) -> None:
    """Fill `folder` with `report/` (two pages, one JSON) and `plots/`."""
    chosen, plots, pages = subject.chosen, folder / "plots", folder / "report"
    pages.mkdir(parents=True)
    drawn = [
        plot_slices(report.slices, report.contenders, report.metric, plots / "slices.png"),
        plot_reliability(_confidences(subject, report), labels, plots / "reliability.png"),
        plot_robustness(
            report.robustness, report.candidate, report.metric, plots / "robustness.png"
        ),
    ]
    if report.importance:
        drawn.append(plot_importance(report.importance, report.metric, plots / "importance.png"))
    wrong = chosen.rows - sum(row[place] for place, row in enumerate(chosen.confusion))
    sentence = f"{wrong:,} of {chosen.rows:,} holdout rows got another answer than their label."
    pictures = quality_page(report, chosen, drawn)
    (pages / "quality.html").write_text(pictures, encoding="utf-8")
    page = mistakes_page(chosen, classes, mistakes, sentence)
    (pages / "mistakes.html").write_text(page, encoding="utf-8")
    (pages / "quality.json").write_text(report.model_dump_json(indent=1), encoding="utf-8")


def _mistakes(
    answer: Answer, subject: Subject, holdout: Rows, dataset: DatasetRef, count: int
) -> list[Mistake]:
    worst = worst_rows(subject.probabilities, holdout.labels, count)
    return explained(
        answer,
        holdout.take(worst),
        subject.probabilities[worst],
        dataset.classes,
        lambda row: PROBES[dataset.kind].parts(row, dataset.types),
    )


def _calibration(subject: Subject, holdout: Rows) -> Calibration | None:
    temperature = read_facts(subject.bundle).temperature
    if temperature == 1:
        return None
    return calibration_of(subject.probabilities, holdout.labels, temperature)


def _confidences(subject: Subject, report: QualityReport) -> dict[str, Probabilities]:
    """The chosen one's probabilities; also those without its temperature, if it has one."""
    found = {report.candidate: subject.probabilities}
    if report.calibration is None:
        return found
    before = without_temperature(subject.probabilities, report.calibration.temperature)
    return found | {"without its temperature": before}


def _slicings(
    holdout: Rows, training: Rows, dataset: DatasetRef, declared: Sequence[str]
) -> dict[str, list[str]]:
    """The declared columns, then what the kind of rows suggests."""
    found = {
        name: sliced_by_value(holdout.columns[name], training.columns[name]) for name in declared
    }
    suggested = PROBES[dataset.kind].slices(holdout.columns, training.columns, dataset.types)
    return {**found, **suggested}


def _some(rows: int, config: EvaluateConfig) -> np.ndarray:
    random = np.random.default_rng(config.seed)
    return np.sort(random.permutation(rows)[: config.probe_rows])
