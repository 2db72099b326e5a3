"""What a sweep leaves to look at: complete, alone, and never an exception."""

import re
import warnings
from itertools import combinations
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import Trial
from PIL import Image
from plotly.offline import get_plotlyjs

from tasks.sweep import interactive
from tasks.sweep.importance import importances
from tasks.sweep.outcome import outcome_of
from tasks.sweep.pages import write_pages
from tests.tasks.sweep.studies import (
    branin,
    conditional,
    quadratic,
    random_study,
    study_of,
    traded_study,
)


def names(paths: list[Path]) -> set[str]:
    assert all(path.is_file() for path in paths)
    return {path.name for path in paths}


def test_every_question_has_its_picture(tmp_path: Path) -> None:
    paths = write_pages(study_of(conditional, 40, higher=True), tmp_path, objectives=["macro_f1"])
    assert names(paths) == {
        "sweep.html",
        "importance.png",
        "parallel_coordinates.png",
        "contour.png",
        "slice.png",
        "rate.png",
        "learning_curves.png",
    }
    for path in paths[1:]:
        pixels = np.asarray(Image.open(path).convert("L"))
        assert min(pixels.shape) > 250
        assert pixels.std() > 10


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    page = write_pages(study_of(conditional, 30, higher=True), tmp_path, objectives=["f1"])[0]
    html = page.read_text()
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", html)
    assert html.count("<h2>") == html.count("Plotly.newPlot(") - _calls_in_plotly() == 6
    assert "teacher.<br>optimizer" in html.replace("\\u003c", "<").replace("\\u003e", ">")
    assert "30 trials:" in html


def test_a_page_grows_with_its_trials_not_with_their_square(tmp_path: Path) -> None:
    page = write_pages(random_study(branin, 300), tmp_path, objectives=["branin"])[0]
    assert page.stat().st_size - len(get_plotlyjs()) < 600_000


def _calls_in_plotly() -> int:
    return get_plotlyjs().count("Plotly.newPlot(")


def test_several_objectives_have_pages_each_and_a_front(tmp_path: Path) -> None:
    found = names(write_pages(traded_study(30), tmp_path, objectives=["f1", "latency/p95_ms"]))
    assert found >= {"pareto_front.png", "slice_f1.png", "slice_latency_p95_ms.png", "rate_f1.png"}
    assert "learning_curves.png" not in found


@pytest.mark.parametrize("several", [3, 4, 5])
def test_a_front_of_more_objectives_is_in_pairs_or_left_out(tmp_path: Path, several: int) -> None:
    study = optuna.create_study(directions=["minimize"] * several)
    study.optimize(lambda t: [t.suggest_float(f"x{i}", 0, 1) for i in range(several)], n_trials=6)
    found = write_pages(study, tmp_path, objectives=list("abcde")[:several])
    assert ("pareto_front.png" in names(found)) == (several < 5)
    assert ("Pareto front</h2>" in found[0].read_text()) == (several < 5)


def test_a_front_of_four_can_be_pointed_at_pair_by_pair() -> None:
    """Quality, speed, size and memory: what the best of each is stands beside its point."""
    study = optuna.create_study(directions=["maximize", *["minimize"] * 3])
    for values in ([0.9, 5, 9, 90], [0.8, 2, 3, 70], [0.7, 3, 4, 80]):
        study.add_trial(optuna.trial.create_trial(values=values))
    outcome = outcome_of(study, ["quality", "p95_ms", "size_mb", "memory_mb"])
    figure = interactive.front(outcome)
    titles = [(figure.layout[f"xaxis{n}"].title.text, figure.layout[f"yaxis{n}"].title.text)
              for n in ("", *range(2, 7))]  # fmt: skip
    assert titles == list(combinations(outcome.objectives, 2))
    others, best = figure.data[:2]
    assert (list(others.x), list(others.y)) == ([0.7], [3])
    assert (list(best.x), list(best.y)) == ([0.9, 0.8], [5, 2])
    assert "trial 1<br>quality 0.8<br>p95_ms 2<br>size_mb 3<br>memory_mb 70" in best.text


def test_the_same_study_gives_the_same_bytes(tmp_path: Path) -> None:
    study = study_of(branin, 15)
    once, again = (
        write_pages(study, tmp_path / place, objectives=["branin"]) for place in ("one", "two")
    )
    for first, second in zip(once, again, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def equal(trial: Trial) -> float:
    trial.suggest_float("y", 0, 1)
    return 0 * trial.suggest_float("x", 0, 1)


def one_parameter(trial: Trial) -> float:
    return trial.suggest_float("teacher.lr", 1e-4, 1, log=True)


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        (optuna.create_study(), set()),
        (study_of(quadratic, 1), set()),
        (study_of(equal, 12), set()),
        (study_of(one_parameter, 12), {"slice.png", "rate.png"}),
        (study_of(lambda trial: float(trial.number), 12), set()),
        (study_of(lambda _: float("nan"), 3), set()),
        (
            study_of(quadratic, 3),
            {"parallel_coordinates.png", "contour.png", "slice.png", "rate.png"},
        ),
    ],
    ids=["none", "one", "equal", "one-parameter", "no-parameter", "all-failed", "three"],
)
def test_what_shows_nothing_is_left_out(
    tmp_path: Path, study: optuna.Study, expected: set[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = names(write_pages(study, tmp_path, objectives=["loss"]))
    assert found == expected | {"sweep.html"}


def test_half_a_study_is_drawn_too(tmp_path: Path) -> None:
    """One trial runs, one broke down without a parameter, one parameter is in one trial alone."""
    study = study_of(conditional, 12, higher=True)
    study.ask().suggest_float("teacher.lr", 1e-5, 1e-1, log=True)
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    last = study.ask()
    last.suggest_float("only.here", 0, 1)
    last.report(float("nan"), 0)
    study.tell(last, 0.5)
    level = optuna.logging.get_verbosity()
    found = names(write_pages(study, tmp_path, objectives=["f1"]))
    assert {"slice.png", "learning_curves.png"} <= found
    assert optuna.logging.get_verbosity() == level


def test_only_pruned_trials_have_their_curves(tmp_path: Path) -> None:
    def pruned(trial: Trial) -> float:
        trial.suggest_float("x", 0, 1)
        trial.report(0.5, 0)
        trial.report(0.6, 1)
        raise optuna.TrialPruned

    found = names(write_pages(study_of(pruned, 3), tmp_path, objectives=["f1"]))
    assert found == {"sweep.html", "learning_curves.png"}


def test_importances_that_are_all_chance_have_no_picture(tmp_path: Path) -> None:
    scores = np.random.default_rng(1).random(24)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), direction="maximize")
    for score in scores:
        trial = study.ask()
        for name in ("teacher.lr", "teacher.l2"):
            trial.suggest_float(name, 0, 1)
        study.tell(trial, float(score))
    found = importances(outcome_of(study, ["score"]), 0)
    assert [one.share for one in found] == [0.0, 0.0]
    assert "importance.png" not in names(write_pages(study, tmp_path, objectives=["score"]))
