"""The report on the chosen bundle: pages, pictures and figures from a small dataset."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.artifacts import DatasetRef, QualityReport
from tasks.data.snapshot import split_rows
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.examination import Subject, examine, write_report
from tasks.evaluation.probing import Mistake
from tasks.evaluation.quality import report_of
from tasks.evaluation.quality_html import mistakes_page
from tasks.packaging.predictor import Predictor
from tests.tasks.evaluation.test_plots import report as report_like

CONFIG = EvaluateConfig(slice_rows=10, probe_rows=20, mistakes=5)


@pytest.fixture(scope="module")
def subject(small_dataset: tuple[Path, DatasetRef], make_bundle: Callable[[str], Path]) -> Subject:
    data, dataset = small_dataset
    bundle, rows = make_bundle("ngram_bag"), split_rows(data, dataset, "test")
    answers = Predictor.load(bundle).probabilities(rows.columns)
    like = report_like("bag", "student", 0.5, 1.0)
    found = (answers, like.predictions_uri)
    chosen = report_of(like.candidate, like.cost, rows, dataset, found, "test")
    sha256 = like.candidate.sha256
    return Subject(chosen, bundle, {sha256: "chosen: bag"}, {sha256: answers})


@pytest.fixture(scope="module")
def examined(
    subject: Subject, small_dataset: tuple[Path, DatasetRef]
) -> tuple[QualityReport, list[Mistake]]:
    return examine(subject, *small_dataset, CONFIG, "macro_f1")


def test_each_slicing_holds_every_row_once(
    examined: tuple[QualityReport, list[Mistake]], small_dataset: tuple[Path, DatasetRef]
) -> None:
    report, _ = examined
    for slicing in {s.slicing for s in report.slices}:
        rows = sum(s.rows for s in report.slices if s.slicing == slicing)
        assert rows == small_dataset[1].rows["test"]
    assert report.robustness[0].changed == 0
    assert {p.rows for p in report.robustness} == {20}
    assert report.importance == ()


def test_an_examination_repeats_itself(
    subject: Subject,
    small_dataset: tuple[Path, DatasetRef],
    examined: tuple[QualityReport, list[Mistake]],
) -> None:
    assert examine(subject, *small_dataset, CONFIG, "macro_f1") == examined


def test_every_mistake_is_one(
    examined: tuple[QualityReport, list[Mistake]], small_dataset: tuple[Path, DatasetRef]
) -> None:
    rows = split_rows(small_dataset[0], small_dataset[1], "test")
    text = dict(zip(rows.row_ids.tolist(), rows.columns["text"], strict=True))
    _, mistakes = examined
    assert 0 < len(mistakes) <= 5
    for mistake in mistakes:
        assert mistake.truth != mistake.predicted
        assert " ".join(name for name, _ in mistake.parts) == text[mistake.row_id]


def test_pages_pictures_and_figures_are_written(
    subject: Subject,
    examined: tuple[QualityReport, list[Mistake]],
    small_dataset: tuple[Path, DatasetRef],
    tmp_path: Path,
) -> None:
    labels = split_rows(small_dataset[0], small_dataset[1], "test").labels
    write_report(*examined, subject, labels, small_dataset[1].classes, tmp_path)
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert names == [
        "plots/reliability.png",
        "plots/robustness.png",
        "plots/slices.png",
        "report/mistakes.html",
        "report/quality.html",
        "report/quality.json",
    ]
    found = json.loads((tmp_path / "report/quality.json").read_text())
    assert QualityReport.model_validate(found) == examined[0]


def test_what_came_from_data_cannot_become_a_tag(subject: Subject) -> None:
    evil = "<script>alert('x')</script>"
    mistake = Mistake(1, f"bad{evil}", f"good{evil}", 0.9, [(evil, 0.2)])
    chosen = subject.chosen.model_copy(update={"confusion": ((1, 2), (3, 4))})
    page = mistakes_page(chosen, (evil, "b"), [mistake], evil)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 5
