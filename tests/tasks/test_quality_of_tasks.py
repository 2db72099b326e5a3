"""The report on quality of what has no classes and no numbers: items for users, and texts."""

import re
from pathlib import Path

import numpy as np
import pytest

from flows.project_file import load_project
from tasks.evaluation.language_quality import LEAST_BYTES
from tasks.packaging.predictor import Predictor
from tests.tasks.test_quality_round_trip import PROJECTS, Seen, examined_floor


def floor_of(name: str, rows: int, folder: Path) -> Seen:
    data = load_project(PROJECTS / f"{name}.yaml").data
    return examined_floor(data.model_copy(update={"max_rows": rows}), folder)


@pytest.fixture(scope="module")
def watchlist(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return floor_of("watchlist", 8000, tmp_path_factory.mktemp("watchlist"))


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return floor_of("language", 3000, tmp_path_factory.mktemp("language"))


@pytest.fixture(scope="module")
def movies(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return floor_of("movies", 6000, tmp_path_factory.mktemp("movies"))


def test_the_whole_holdout_has_the_figure_of_the_candidates_report(
    watchlist: Seen, language: Seen
) -> None:
    for subject, _, report, _, _ in (watchlist, language):
        whole = report.slices[0].estimates[report.sha256]
        assert whole is not None
        assert whole.value == pytest.approx(subject.chosen.metrics[report.metric], rel=1e-5)
        assert whole.low < whole.value < whole.high


def test_a_ranking_is_divided_by_activity_and_popularity(watchlist: Seen) -> None:
    _, dataset, report, wrong, folder = watchlist
    slicings = {s.slicing for s in report.slices}
    assert slicings == {
        "rows", "training rows of the user", "training rows of the true item"
    }  # fmt: skip
    for slicing in slicings:
        rows = sum(s.rows for s in report.slices if s.slicing == slicing)
        assert rows == dataset.rows["test"]
    recall, coverage = report.tables
    assert float(recall.rows[0][4].split()[0]) == pytest.approx(
        watchlist[0].chosen.metrics["recall"], abs=1e-3
    )
    shown = float(coverage.rows[0][2].split()[0]) / 100
    assert shown == pytest.approx(watchlist[0].chosen.metrics["coverage"], abs=1e-3)
    assert [p.name for p in report.robustness] == ["as they are", "unknown user"]
    assert report.importance == ()
    assert (wrong.confusions, len(wrong.mistakes)) == ([], 4)
    page = (folder / "report/quality.html").read_text()
    assert "Coverage of the catalogue" in page
    assert "Worst-served users" in (folder / "report/mistakes.html").read_text()


def test_the_worst_served_users_met_none_of_what_they_were_told(watchlist: Seen) -> None:
    _, _, _, wrong, _ = watchlist
    for mistake in wrong.mistakes:
        assert mistake.how_wrong == "with NDCG 0.000"
        met = re.sub(r" and \d+ more$", "", mistake.truth).split(", ")
        assert not set(met) & set(mistake.predicted.split(", "))


def test_ratings_are_divided_by_what_training_knew(movies: Seen) -> None:
    _, _, report, wrong, _ = movies
    slicings = {s.slicing for s in report.slices}
    assert {"training rows of the user", "training rows of the item", "true number"} <= slicings
    names = [p.name for p in report.robustness]
    assert names[:4] == ["as they are", "unknown user", "unknown item", "unknown user and item"]
    strangers = report.robustness[3]
    assert strangers.changed > 0
    assert {i.column for i in report.importance} == {"user", "movie", "year", "genres"}
    assert any(effect for _, effect in wrong.mistakes[0].parts)


def test_the_bits_of_texts_are_told_by_place_and_kind(language: Seen) -> None:
    subject, _, report, _, folder = language
    assert {"rows", "length", "rare words"} == {s.slicing for s in report.slices}
    places, kinds = report.tables
    assert places.rows[0][0] == "0 to 7"
    assert sum(float(line[4].split()[0]) for line in kinds.rows) == pytest.approx(100, abs=1)
    names = [p.name for p in report.robustness]
    assert "keyboard slips" in names
    assert all(p.changed > 0 for p in report.robustness[1:])
    assert report.changed_words == "mean move of the answers"
    assert "bits per byte of text" in (folder / "report/quality.html").read_text()
    assert subject.chosen.metrics["bits_per_byte"] < 4


def test_the_most_surprising_texts_are_marked_token_by_token(language: Seen) -> None:
    subject, _, _, wrong, folder = language
    assert len(wrong.mistakes) == 4
    bits = [float(mistake.predicted.split()[0]) for mistake in wrong.mistakes]
    assert bits == sorted(bits, reverse=True)
    for mistake in wrong.mistakes:
        (text,) = mistake.row.values()
        assert len(text.encode()) >= LEAST_BYTES
        pieces = [piece for piece, _ in mistake.parts]
        assert pieces[-1] == "end"
        assert "�" in "".join(pieces) or "".join(pieces[:-1]) == text
    page = (folder / "report/mistakes.html").read_text()
    assert "marked by its surprise" in page
    assert "Most surprising texts" in page
    predictor = Predictor.load(subject.bundle)
    row = wrong.mistakes[0].row
    nats, tokens, size = predictor.probabilities({name: [row[name]] for name in row})[0]
    (told,) = predictor.told({name: [row[name]] for name in row})
    assert (len(told), sum(size for _, size, _ in told)) == (tokens, size)
    assert np.isclose(sum(n for _, _, n in told), nats, rtol=1e-5)
