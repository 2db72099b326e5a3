"""The report on quality of real rows of each kind: pictures, series, numbers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from flows.project_file import load_project
from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.snapshot import split_rows
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.case import judged_rows
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.examination import Subject, Wrong, examine
from tasks.evaluation.quality import report_of
from tasks.evaluation.quality_files import write_report
from tasks.packaging.export import export_bundle
from tasks.packaging.predictor import Predictor
from tasks.quality_artifacts import QualityReport
from tests.in_process import snapshot
from tests.tasks.evaluation.test_plots import report as report_like

PROJECTS = Path(__file__).resolve().parents[2] / "flows" / "projects"
CONFIG = EvaluateConfig(slice_rows=20, probe_rows=60, mistakes=4)


def diabetes(folder: Path) -> DataConfig:
    """442 patients: ten figures, and how far the disease went in a year."""
    load_diabetes(as_frame=True, scaled=False).frame.to_csv(folder / "rows.csv", index=False)
    return DataConfig(
        source=str(folder / "rows.csv"), kind="table", target="target", task="regression"
    )


def shipped(name: str) -> Callable[[Path], DataConfig]:
    """The data of a shipped project."""
    return lambda _: load_project(PROJECTS / f"{name}.yaml").data


@pytest.fixture(
    scope="module",
    params=[shipped("digits"), shipped("vowels"), diabetes],
    ids=["digits", "vowels", "diabetes"],
)
def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Subject, DatasetRef, QualityReport, Wrong, Path]:
    """The floor of each project, examined on its holdout; the folder of the report."""
    folder = tmp_path_factory.mktemp("quality")
    return examined_floor(request.param(folder), folder)


def examined_floor(
    config: DataConfig, folder: Path
) -> tuple[Subject, DatasetRef, QualityReport, Wrong, Path]:
    """The floor of this data, examined on its holdout; the folder of the report is the last."""
    dataset = snapshot(config, PROJECTS, folder / "data", "real")
    rows = judged_rows(folder / "data", dataset, "test")
    save_baseline(folder / "data", dataset, folder / "model")
    export_bundle(folder / "model", folder / "bundle", dataset.target, rows.columns)
    answers = Predictor.load(folder / "bundle").probabilities(rows.columns)
    like = report_like("floor", "baseline", 0.5, 1.0)
    plain = split_rows(folder / "data", dataset, "test")
    chosen = report_of(like.candidate, like.cost, plain, dataset, (answers, "s3://b/p/"), "test")
    sha256 = like.candidate.sha256
    subject = Subject(chosen, folder / "bundle", {sha256: "chosen: floor"}, {sha256: answers})
    report, wrong = examine(subject, folder / "data", dataset, CONFIG, "macro_f1")
    write_report(report, wrong, subject, rows.labels, dataset, folder / "report")
    return subject, dataset, report, wrong, folder / "report"


Seen = tuple[Subject, DatasetRef, QualityReport, Wrong, Path]


def test_the_whole_holdout_has_the_figure_of_the_candidates_report(seen: Seen) -> None:
    subject, _, report, _, _ = seen
    whole = report.slices[0].estimates[report.sha256]
    assert whole is not None
    assert whole.value == pytest.approx(subject.chosen.metrics[report.metric], rel=1e-6)
    assert whole.low < whole.value < whole.high
    assert len({s.slicing for s in report.slices}) > 1


def test_harm_harms_and_nothing_does_not(seen: Seen) -> None:
    _, dataset, report, _, _ = seen
    usual, *damaged = report.robustness
    assert usual.changed == 0
    assert len(damaged) > 5
    assert max(probed.changed for probed in damaged) > 0.02
    assert (len(report.importance) > 0) == (dataset.kind == "table")


def test_mistakes_are_explained_part_by_part(seen: Seen) -> None:
    subject, dataset, _, wrong, _ = seen
    assert len(wrong.mistakes) == 4
    for mistake in wrong.mistakes:
        assert len(mistake.parts) >= 8
        assert any(abs(effect) > 1e-3 for _, effect in mistake.parts)
        assert all(effect <= 1 for _, effect in mistake.parts)
    assert bool(wrong.confusions) == (dataset.task == "classification")
    if dataset.task == "regression":
        errors = np.abs(subject.found[:, 0] - truth_of(subject, dataset))
        assert wrong.mistakes[0].how_wrong[8:] == f"{errors.max():.4g}"


def test_pages_and_pictures_fit_the_task(seen: Seen) -> None:
    _, dataset, _, _, folder = seen
    pictures = {path.stem for path in (folder / "plots").iterdir()}
    own = "reliability" if dataset.task == "classification" else "residuals"
    more = {"importance"} if dataset.kind == "table" else set()
    assert pictures == {"slices", "robustness", own} | more
    page = (folder / "report/mistakes.html").read_text()
    assert ("half are answered to within" in page) == (dataset.task == "regression")
    assert page.count("<svg") >= (4 if dataset.kind in ("image", "series") else 0)
    assert "nan" not in page


def truth_of(subject: Subject, dataset: DatasetRef) -> np.ndarray:
    """The truth of the holdout that the subject answered."""
    return split_rows(subject.bundle.parent / "data", dataset, "test").labels
