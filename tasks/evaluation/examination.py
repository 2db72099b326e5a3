"""All that is reported about the chosen candidate, from its bundle, a snapshot and kept answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tasks.artifacts import DatasetRef, EvalReport
from tasks.data.beside import declared_slices
from tasks.data.probes import BOUND_TOGETHER, probe_of
from tasks.data.snapshot import Rows
from tasks.evaluation.calibration import calibration_of
from tasks.evaluation.case import LOOKS, Case, judged_rows
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.confusions import Metric
from tasks.evaluation.judging import Answers, Judge
from tasks.evaluation.probing import (
    Confusion,
    Mistake,
    confused,
    importance_of,
    robustness_of,
    slices_of,
)
from tasks.packaging.bundle import read_facts
from tasks.packaging.predictor import Predictor
from tasks.quality_artifacts import Calibration, QualityReport, Slice

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
    """The float bundle that the chosen one was shrunk from, what became of it in between, and the
    chosen one; or none."""
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


def examine(
    subject: Subject, data: Path, dataset: DatasetRef, config: EvaluateConfig, metric: Metric
) -> tuple[QualityReport, Wrong]:
    """Slices of all contenders; robustness, importance and mistakes of the chosen one."""
    case = _case(subject, data, dataset, config, metric)
    judge, answer, probed = case.judge, case.predictor.probabilities, case.probed
    damaged = probe_of(dataset.kind).damaged(probed.columns, dataset.types, config.seed)
    can_shuffle = len(dataset.inputs) > 1 and dataset.kind not in BOUND_TOGETHER
    report = QualityReport(
        candidate=subject.chosen.candidate.name,
        sha256=subject.chosen.candidate.sha256,
        task=dataset.task,
        metric=judge.metric,
        contenders=dict(subject.contenders),
        slices=tuple(
            slices_of(case.slicings, case.holdout.labels, subject.answers, judge, config.slice_rows)
        ),
        robustness=tuple(robustness_of(answer, probed, damaged, judge)) if damaged else (),
        importance=tuple(importance_of(answer, probed, judge, config.seed) if can_shuffle else ()),
        calibration=_calibration(subject, case.holdout),
        compressed=dict(subject.compressed),
        compression=_compression(subject, data, case, config),
        tables=LOOKS[dataset.task].tables(case),
    )
    return report, _wrong(case, config.mistakes)


def _case(
    subject: Subject, data: Path, dataset: DatasetRef, config: EvaluateConfig, metric: Metric
) -> Case:
    holdout, training = (judged_rows(data, dataset, split) for split in ("test", "train"))
    judge = LOOKS[dataset.task].judge(dataset, metric)
    chosen = subject.chosen.candidate.sha256
    return Case(
        dataset=dataset,
        judge=judge,
        predictor=Predictor.load(subject.bundle, threads=2),
        holdout=holdout,
        training=training,
        probed=holdout.take(_some(holdout, config)),
        slicings=slicings_of(
            holdout, training, dataset, declared_slices(data, "test", config.slices), judge
        ),
        answers={chosen: subject.found, **subject.answers},
        names=subject.contenders,
    )


def _compression(
    subject: Subject, data: Path, case: Case, config: EvaluateConfig
) -> tuple[Slice, ...]:
    """Slices of the validation rows, before and after the chosen one was shrunk."""
    if not subject.compressed:
        return ()
    rows = judged_rows(data, case.dataset, "valid")
    declared = declared_slices(data, "valid", config.slices)
    slicings = slicings_of(rows, case.training, case.dataset, declared, case.judge)
    answers = subject.valid_answers
    return tuple(slices_of(slicings, rows.labels, answers, case.judge, config.slice_rows))


def slicings_of(
    rows: Rows,
    training: Rows,
    dataset: DatasetRef,
    declared: Mapping[str, list[str]],
    judge: Judge,
) -> dict[str, list[str]]:
    """All rows; by the declared columns, by what the kind of rows suggests, by what the task does.

    What does not divide the rows is left out.
    """
    found = {**declared}
    found |= probe_of(dataset.kind).slices(rows.columns, training.columns, dataset.types)
    found |= judge.slices(rows.labels, training.labels)
    dividing = {name: names for name, names in found.items() if len(set(names)) > 1}
    return {"rows": ["all"] * len(rows), **dividing}


def _wrong(case: Case, count: int) -> Wrong:
    """The worst mistakes; of classes the most frequent confusions too."""
    mistakes = LOOKS[case.dataset.task].mistakes(case, count)
    if case.dataset.task != "classification":
        return Wrong([], mistakes)
    classes = case.dataset.classes
    named = confused(case.holdout, case.found, classes, MOST_CONFUSIONS, EXAMPLES)
    return Wrong(named, mistakes)


def _calibration(subject: Subject, holdout: Rows) -> Calibration | None:
    temperature = read_facts(subject.bundle).temperature
    if temperature == 1:
        return None
    return calibration_of(subject.found, holdout.labels, temperature)


def _some(rows: Rows, config: EvaluateConfig) -> np.ndarray:
    """Places of some rows, drawn by the seed; of a ranking all rows of some users."""
    count, random = len(rows), np.random.default_rng(config.seed)
    units = rows.labels[:, 1] if rows.labels.ndim == 2 else np.arange(count)
    different, sizes = np.unique(units, return_counts=True)
    order = random.permutation(len(different))
    before = np.cumsum(sizes[order]) - sizes[order]
    return np.flatnonzero(np.isin(units, different[order[before < config.probe_rows]]))
