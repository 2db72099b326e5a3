"""Evidence of the gate, read from local folders."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.artifacts import DatasetRef, EvalReport
from tasks.data.snapshot import split_rows
from tasks.evaluation.recommended import truth_of
from tasks.packaging.answers import load_answers
from tasks.promotion.gate import Contender, Evidence


def read_evidence(
    dataset: DatasetRef,
    dataset_path: Path,
    proof: Sequence[EvalReport],
    predictions: Mapping[str, Path],
    bundles: Sequence[str],
) -> Evidence:
    """The holdout's truth beside the predictions of candidate, baseline and, if any, champion.

    `bundles` are their digests, in this order, to be found among the reports of `proof`.

    `predictions` maps each report's `predictions_uri` to its local folder. Raises ValueError when
    a model answered for other rows than the holdout has.
    """
    truth = truth_of(split_rows(dataset_path, dataset, "test"), dataset)
    by_bundle = {report.candidate.sha256: report for report in proof}
    missing = [sha256 for sha256 in bundles if sha256 not in by_bundle]
    if missing:
        raise ValueError(f"bundle {missing[0][:12]} has no report on the holdout")
    candidate, baseline, *champion = [
        _contender(by_bundle[sha256], predictions, len(truth)) for sha256 in bundles
    ]
    return Evidence(
        truth=truth,
        classes=len(dataset.classes),
        candidate=candidate,
        baseline=baseline,
        champion=champion[0] if champion else None,
    )


def _contender(report: EvalReport, predictions: Mapping[str, Path], rows: int) -> Contender:
    folder = predictions[report.predictions_uri]
    answers_NC = load_answers(folder)
    name = report.candidate.name
    if report.split != "test" or len(answers_NC) != rows:
        raise ValueError(
            f"{name}: {len(answers_NC)} predictions of split {report.split!r}, "
            f"the holdout has {rows} rows"
        )
    return Contender(report, answers_NC)
