"""What is looked at when a candidate is examined, and by task how: judge, tables, mistakes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.artifacts import DatasetRef, Split, Task
from tasks.data.probes import probe_of
from tasks.data.snapshot import Rows, split_rows
from tasks.evaluation.confusions import Metric
from tasks.evaluation.judging import Answers, ClassJudge, Judge, NumberJudge
from tasks.evaluation.language_quality import TextJudge, language_tables, surprising
from tasks.evaluation.probing import Mistake, explained
from tasks.evaluation.ranking_quality import RankJudge, ranking_tables, worst_served
from tasks.evaluation.recommended import truth_of
from tasks.packaging.predictor import Predictor
from tasks.packaging.predictor.predictor import Writer
from tasks.quality_artifacts import FactTable


@dataclass(frozen=True, slots=True)
class Case:
    """One candidate on one holdout; the labels of rows are what the task's figures ask for."""

    dataset: DatasetRef
    judge: Judge
    predictor: Predictor
    holdout: Rows
    training: Rows
    probed: Rows
    """Some of the holdout, which are asked again."""
    slicings: Mapping[str, Sequence[str]]
    """Of the holdout."""
    answers: Mapping[str, Answers]
    """Of every contender to the holdout, by its bundle; the chosen one first."""
    names: Mapping[str, str]

    @property
    def found(self) -> Answers:
        """The chosen one's answers to the holdout."""
        return next(iter(self.answers.values()))


@dataclass(frozen=True, slots=True)
class Look:
    """How answers to one task are looked at."""

    judge: Callable[[DatasetRef, Metric], Judge]
    mistakes: Callable[[Case, int], list[Mistake]]
    tables: Callable[[Case], tuple[FactTable, ...]] = lambda _: ()


def judged_rows(data: Path, dataset: DatasetRef, split: Split) -> Rows:
    """The rows of a split, their labels what the task's figures ask for: of a ranking item and
    user."""
    rows = split_rows(data, dataset, split)
    return replace(rows, labels=truth_of(rows, dataset))


def _occluded(case: Case, count: int) -> list[Mistake]:
    """The surest wrong answers, with what each part of the row did for them."""
    worst = case.judge.worst(case.found, case.holdout.labels, count)
    return explained(
        case.predictor.probabilities,
        case.holdout.take(worst),
        case.found[worst],
        case.judge,
        lambda row: probe_of(case.dataset.kind).parts(row, case.dataset.types),
    )


def _worst_served(case: Case, count: int) -> list[Mistake]:
    return worst_served(case.holdout, case.found, count, case.dataset.classes)


def _ranking_tables(case: Case) -> tuple[FactTable, ...]:
    truth = (case.holdout.labels, case.training.labels)
    return ranking_tables(case.slicings, truth, case.answers, case.names, case.dataset)


def _surprising(case: Case, count: int) -> list[Mistake]:
    assert isinstance(case.predictor, Writer)
    return surprising(case.holdout, case.found, count, case.predictor.told)


def _language_tables(case: Case) -> tuple[FactTable, ...]:
    assert isinstance(case.predictor, Writer)
    return language_tables(case.probed.columns, case.predictor.told)


LOOKS: dict[Task, Look] = {
    "classification": Look(lambda dataset, metric: ClassJudge(metric, dataset.classes), _occluded),
    "regression": Look(lambda *_: NumberJudge(), _occluded),
    "ranking": Look(lambda dataset, _: RankJudge(dataset.classes), _worst_served, _ranking_tables),
    "generation": Look(lambda *_: TextJudge(), _surprising, _language_tables),
}
"""By task."""
