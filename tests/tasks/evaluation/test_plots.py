"""Pictures are drawn from any number of candidates, and the front holds what nothing beats."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.artifacts import Candidate, Cost, EvalReport, Latency, RateTrial, Role, Tuned
from tasks.evaluation.plots import (
    ConfusionSheet,
    plot_learning_curves,
    plot_learning_rates,
    plot_pareto,
    plot_reliability,
)

PNG = b"\x89PNG"


def report(name: str, role: Role, quality: float, p50: float) -> EvalReport:
    candidate = Candidate(
        name=name,
        role=role,
        parent=None,
        uri="s3://modelworks/bundles/1/",
        sha256="1" * 64,
        size_bytes=2_000_000,
        params=10,
        model_sha256="2" * 64,
    )
    cost = Cost(latency_ms=Latency(p50=p50, p95=p50 * 2), rows_per_second=1, peak_memory_mb=1)
    return EvalReport(
        candidate=candidate,
        split="valid",
        rows=6,
        metrics={"macro_f1": quality},
        confusion=((2, 1), (0, 3)),
        predictions_uri="s3://modelworks/predictions/1/",
        cost=cost,
    )


REPORTS = [report("tfidf", "baseline", 0.7, 0.1), report("teacher", "teacher", 0.8, 9.0)]


@pytest.mark.parametrize("count", [1, 2])
def test_a_pareto_plot_of_few(tmp_path: Path, count: int) -> None:
    path = plot_pareto(REPORTS[:count], "macro_f1", "tfidf", tmp_path / "plots/pareto.png")
    assert path.read_bytes().startswith(PNG)


def test_the_same_figures_give_the_same_picture(tmp_path: Path) -> None:
    """Whatever was drawn on the sheet before them."""
    other = REPORTS[1].model_copy(update={"confusion": ((0, 3), (1, 2)), "rows": 1_000_000})
    used, fresh = ConfusionSheet(("no", "yes")), ConfusionSheet(("no", "yes"))
    assert used.draw(other, tmp_path / "1.png").read_bytes().startswith(PNG)
    again = used.draw(REPORTS[0], tmp_path / "2.png").read_bytes()
    assert again == fresh.draw(REPORTS[0], tmp_path / "3.png").read_bytes()
    assert again != (tmp_path / "1.png").read_bytes()


@pytest.mark.parametrize("classes", [2, 10, 300])
def test_a_confusion_matrix_stays_a_picture_however_many_classes(
    tmp_path: Path, classes: int
) -> None:
    counts = np.random.default_rng(1).integers(0, 50, (classes, classes))
    like = REPORTS[0].model_copy(update={"confusion": tuple(map(tuple, counts.tolist()))})
    names = [f"class number {place} with a long name" for place in range(classes)]
    path = ConfusionSheet(names).draw(like, tmp_path / "confusion.png")
    with Image.open(path) as image:
        assert max(image.size) < 1800


def test_learning_curves_of_models_with_and_without_history(tmp_path: Path) -> None:
    points = [{"step": 1, "valid/macro_f1": 0.5}, {"step": 2, "train/loss": 1.0}]
    histories = {"teacher": points, "tfidf": []}
    path = plot_learning_curves(histories, "valid/macro_f1", tmp_path / "curves.png")
    assert path.read_bytes().startswith(PNG)


def test_reliability_with_empty_bins(tmp_path: Path) -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
    path = plot_reliability({"student": probabilities}, np.array([0, 0]), tmp_path / "r.png")
    assert path.read_bytes().startswith(PNG)


def test_learning_rates_are_drawn_without_a_range_test_too(tmp_path: Path) -> None:
    for index, ramp in enumerate([((1e-5, 1.0), (1e-3, 0.5)), ()]):
        tuned = Tuned(lr=1e-4, reason="r", trials=(), range_test=ramp, suggested=None)
        path = plot_learning_rates(tuned, tmp_path / f"{index}.png")
        assert path.read_bytes().startswith(PNG)


def test_trials_of_a_sweep_are_drawn_beside_the_range_test(tmp_path: Path) -> None:
    trials = [
        RateTrial(lr=lr, schedule=schedule, scores=scores)
        for lr, schedule, scores in (
            (1e-4, "cosine", (0.6, 0.7)),
            (3e-4, "constant", (0.5, 0.7)),
            (1e-2, "constant", (-1e9, 0.4)),
        )
    ]
    tuned = Tuned(
        lr=1e-4, reason="r", trials=trials, range_test=((1e-5, 1.0), (1e-3, 0.5)),
        suggested=2e-4, interval=(1e-4, 3e-4), is_trusted=True,
    )  # fmt: skip
    assert plot_learning_rates(tuned, tmp_path / "rates.png").read_bytes().startswith(PNG)
    for index, ramp in enumerate([((1e-5, 1.0),), (), ((1e-5, 0.1), (1e-3, 400.0))]):
        unread = tuned.model_copy(update={"range_test": ramp, "suggested": None})
        path = plot_learning_rates(unread, tmp_path / f"unread-{index}.png")
        assert path.read_bytes().startswith(PNG)
