"""The report on the chosen bundle: figures, pages and pictures from a small dataset."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import split_rows
from tasks.evaluation.config import EvaluateConfig
from tasks.evaluation.examination import Subject, Wrong, examine
from tasks.evaluation.mistakes_html import mistakes_page
from tasks.evaluation.probing import Confusion, Mistake
from tasks.evaluation.quality import report_of
from tasks.evaluation.quality_files import write_report
from tasks.packaging.bundle import bundle_with_temperature
from tasks.packaging.predictor import Predictor
from tasks.quality_artifacts import QualityReport
from tests.in_process import quantized
from tests.tasks.evaluation.test_plots import report as report_like

CONFIG = EvaluateConfig(slice_rows=10, probe_rows=20, mistakes=5)
Examined = tuple[QualityReport, Wrong]


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
def examined(subject: Subject, small_dataset: tuple[Path, DatasetRef]) -> Examined:
    return examine(subject, *small_dataset, CONFIG, "macro_f1")


def test_each_slicing_holds_every_row_once(
    examined: Examined, small_dataset: tuple[Path, DatasetRef]
) -> None:
    report, _ = examined
    slicings = [s.slicing for s in report.slices]
    assert {"rows", "length"} <= set(slicings)
    assert slicings.count("length") > 1
    for slicing in set(slicings):
        rows = sum(s.rows for s in report.slices if s.slicing == slicing)
        assert rows == small_dataset[1].rows["test"]
    assert report.robustness[0].changed == 0
    assert {p.rows for p in report.robustness} == {20}
    assert report.importance == ()
    assert (report.calibration, report.compression) == (None, ())


def test_an_examination_repeats_itself(
    subject: Subject, small_dataset: tuple[Path, DatasetRef], examined: Examined
) -> None:
    assert examine(subject, *small_dataset, CONFIG, "macro_f1") == examined


def test_every_mistake_is_one(examined: Examined, small_dataset: tuple[Path, DatasetRef]) -> None:
    rows = split_rows(small_dataset[0], small_dataset[1], "test")
    text = dict(zip(rows.row_ids.tolist(), rows.columns["text"], strict=True))
    _, wrong = examined
    assert 0 < len(wrong.mistakes) <= 5
    for mistake in wrong.mistakes:
        assert mistake.truth != mistake.predicted
        assert mistake.row == {"text": text[mistake.row_id]}
        assert " ".join(name for name, _ in mistake.parts) == text[mistake.row_id]
    for confusion in wrong.confusions:
        assert confusion.truth != confusion.predicted
        assert 0 < len(confusion.examples) <= confusion.rows


def test_a_temperature_is_told_with_what_it_did(
    subject: Subject, small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    bundle_with_temperature(subject.bundle, tmp_path / "bundle", 2.0)
    rows = split_rows(*small_dataset, "test")
    answers = Predictor.load(tmp_path / "bundle").probabilities(rows.columns)
    sha256 = subject.chosen.candidate.sha256
    warm = replace(subject, bundle=tmp_path / "bundle", answers={sha256: answers})
    report, wrong = examine(warm, *small_dataset, CONFIG, "macro_f1")
    assert report.calibration is not None
    assert report.calibration.temperature == 2
    assert report.calibration.error_after != report.calibration.error_before
    write_report(report, wrong, warm, rows.labels, small_dataset[1], tmp_path)
    assert "temperature 2.000" in (tmp_path / "report/quality.html").read_text()


def test_what_compressing_changed_is_told_by_slice_of_the_validation_rows(
    subject: Subject, small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    quantized(small_dataset, subject.bundle, tmp_path / "int8")
    columns = split_rows(*small_dataset, "valid").columns
    before, after = (
        Predictor.load(folder).probabilities(columns)
        for folder in (subject.bundle, tmp_path / "int8")
    )
    line = {"f" * 64: "bag", "2" * 64: "bag-pruned", "1" * 64: "bag-pruned-int8"}
    valid = dict(zip(line, (before, 1 - before, after), strict=True))
    both = replace(subject, compressed=line, valid_answers=valid)
    report, wrong = examine(both, *small_dataset, CONFIG, "macro_f1")
    whole = report.compression[0]
    assert (whole.slicing, whole.rows) == ("rows", small_dataset[1].rows["valid"])
    assert whole.estimates.keys() == line.keys()
    write_report(report, wrong, both, np.zeros(30, np.int64), small_dataset[1], tmp_path)
    page = (tmp_path / "report/quality.html").read_text()
    told = page[page.index("What compressing changed") :]
    lost = whole.estimates["1" * 64].value - whole.estimates["f" * 64].value
    assert f"{lost:+.4f}" in told[: told.index("</table>")]
    assert [told.index(f">{name}<") for name in line.values()] == sorted(
        told.index(f">{name}<") for name in line.values()
    )


def test_pages_pictures_and_figures_are_written(
    subject: Subject,
    examined: Examined,
    small_dataset: tuple[Path, DatasetRef],
    tmp_path: Path,
) -> None:
    labels = split_rows(small_dataset[0], small_dataset[1], "test").labels
    write_report(*examined, subject, labels, small_dataset[1], tmp_path)
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


@pytest.mark.parametrize("kind", ["text", "table", "smells"])
def test_what_came_from_data_cannot_become_a_tag(kind: str) -> None:
    evil = "<script>alert('x')</script>"
    row = {evil: evil}
    mistake = Mistake(1, row, f"bad{evil}", f"good{evil}", "at 0.9", [(evil, 0.2)])
    silent = Mistake(2, row, "bad", "good", "at 0.9", [])
    confusion = Confusion(evil, "b", 3, 0.5, [(1, row)])
    page = mistakes_page(evil, kind, (evil, evil, "legend"), [confusion], [mistake, silent])
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 7


def test_a_kind_without_a_probe_is_still_examined(
    subject: Subject, small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    data, dataset = small_dataset
    unknown = dataset.model_copy(update={"kind": "smells"})
    report, wrong = examine(subject, data, unknown, CONFIG, "macro_f1")
    assert [s.slicing for s in report.slices] == ["rows"]
    assert (report.robustness, report.importance) == ((), ())
    assert wrong.mistakes
    assert {len(mistake.parts) for mistake in wrong.mistakes} == {0}
    labels = split_rows(data, dataset, "test").labels
    write_report(report, wrong, subject, labels, unknown, tmp_path)
    assert wrong.mistakes[0].row["text"] in (tmp_path / "report/mistakes.html").read_text()
