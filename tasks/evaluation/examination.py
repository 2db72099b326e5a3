"""All that is reported about the chosen candidate, from its bundle, a snapshot and kept answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tasks.artifacts import Calibration, DatasetRef, EvalReport, QualityReport, Slice
from tasks.data.probes import BOUND_TOGETHER, probe_of
from tasks.data.slicing import sliced_by_value
from tasks.data.snapshot import Rows, split_rows
from tasks.evaluation.calibration import calibration_of
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.confusions import Metric
from tasks.evaluation.judging import JUDGES, Answers, Judge
from tasks.evaluation.probing import (
    Answer,
    Confusion,
    Mistake,
    confused,
    explained,
    importance_of,
    robustness_of,
    slices_of,
)
from tasks.packaging.bundle import read_facts
from tasks.packaging.predictor import Predictor

MOST_CONFUSIONS, EXAMPLES = 10, 3
"""Pairs of classes that are told, and rows that each is shown with."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is looked at: the chosen bundle, and the kept answers of all that are beside it."""

    chosen: EvalReport
    bundle: Path
    contenders: Mapping[str, str]
    """What each bundle that saw the holdout is called, by its digest; the chosen one first."""
    answers: Mapping[str, Answers]
    """Of every holdout row, by the bundle's digest."""
    compressed: Mapping[str, str] = field(default_factory=dict)
    """The float bundle that the chosen one was made from, and the chosen one; or none."""
    valid_answers: Mapping[str, Answers] = field(default_factory=dict)
    """Theirs, of every validation row."""

    @property
    def found(self) -> Answers:
        """The chosen one's answers to the holdout."""
        return self.answers[self.chosen.candidate.sha256]


@dataclass(frozen=True, slots=True)
class Wrong:
    """What the chosen one gets wrong on the holdout."""

    confusions: list[Confusion]
    mistakes: list[Mistake]


def can_be_examined(dataset: DatasetRef) -> bool:
    """Whether it is known how to judge answers to this task."""
    return dataset.task in JUDGES


def nothing_of(chosen: EvalReport, metric: Metric) -> QualityReport:
    """The report on a candidate of whose answers no judge is known."""
    return QualityReport(
        candidate=chosen.candidate.name,
        sha256=chosen.candidate.sha256,
        metric=metric,
        contenders={},
        slices=(),
        robustness=(),
        importance=(),
    )


def examine(
    subject: Subject, data: Path, dataset: DatasetRef, config: EvaluateConfig, metric: Metric
) -> tuple[QualityReport, Wrong]:
    """Slices of all contenders; robustness, importance and mistakes of the chosen one."""
    judge, holdout = JUDGES[dataset.task](dataset, metric), split_rows(data, dataset, "test")
    answer = Predictor.load(subject.bundle, threads=2).probabilities
    probed = holdout.take(_some(len(holdout), config))
    damaged = probe_of(dataset.kind).damaged(probed.columns, dataset.types, config.seed)
    can_shuffle = len(dataset.inputs) > 1 and dataset.kind not in BOUND_TOGETHER
    training = split_rows(data, dataset, "train")

    def sliced(rows: Rows, answers: Mapping[str, Answers]) -> tuple[Slice, ...]:
        slicings = slicings_of(rows, training, dataset, config.slices, judge)
        return tuple(slices_of(slicings, rows.labels, answers, judge, config.slice_rows))

    report = QualityReport(
        candidate=subject.chosen.candidate.name,
        sha256=subject.chosen.candidate.sha256,
        task=dataset.task,
        metric=judge.metric,
        contenders=dict(subject.contenders),
        slices=sliced(holdout, subject.answers),
        robustness=tuple(robustness_of(answer, probed, damaged, judge)) if damaged else (),
        importance=tuple(importance_of(answer, probed, judge, config.seed) if can_shuffle else ()),
        calibration=_calibration(subject, holdout),
        compressed=dict(subject.compressed),
        compression=sliced(split_rows(data, dataset, "valid"), subject.valid_answers)
        if subject.compressed
        else (),
    )
    return report, _wrong(answer, subject, holdout, dataset, config.mistakes, judge)


def slicings_of(
    rows: Rows, training: Rows, dataset: DatasetRef, declared: Sequence[str], judge: Judge
) -> dict[str, list[str]]:
    """All rows; the declared columns, what the kind of rows suggests, what the task does.

    What does not divide the rows is left out.
    """
    found = {name: sliced_by_value(rows.columns[name], training.columns[name]) for name in declared}
    found |= probe_of(dataset.kind).slices(rows.columns, training.columns, dataset.types)
    found |= judge.slices(rows.labels, training.labels)
    dividing = {name: names for name, names in found.items() if len(set(names)) > 1}
    return {"rows": ["all"] * len(rows), **dividing}


def _wrong(
    answer: Answer,
    subject: Subject,
    holdout: Rows,
    dataset: DatasetRef,
    count: int,
    judge: Judge,
) -> Wrong:
    worst = judge.worst(subject.found, holdout.labels, count)
    mistakes = explained(
        answer,
        holdout.take(worst),
        subject.found[worst],
        judge,
        lambda row: probe_of(dataset.kind).parts(row, dataset.types),
    )
    if not dataset.classes:
        return Wrong([], mistakes)
    named = confused(holdout, subject.found, dataset.classes, MOST_CONFUSIONS, EXAMPLES)
    return Wrong(named, mistakes)


def _calibration(subject: Subject, holdout: Rows) -> Calibration | None:
    temperature = read_facts(subject.bundle).temperature
    if temperature == 1:
        return None
    return calibration_of(subject.found, holdout.labels, temperature)


def _some(rows: int, config: EvaluateConfig) -> np.ndarray:
    random = np.random.default_rng(config.seed)
    return np.sort(random.permutation(rows)[: config.probe_rows])
