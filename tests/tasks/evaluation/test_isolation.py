"""Measurement in a process that sees and holds little."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasks.evaluation import isolation
from tasks.evaluation.isolation import (
    answers,
    cost_figures,
    eager_figures,
    latency_figures,
    small_environment,
)
from tasks.evaluation.measure import latency_ms, peak_memory_mb
from tasks.packaging.deploy import DeployConfig
from tasks.packaging.predictor import Predictor

MakeBundle = Callable[[str], Path]
COLUMNS = {"text": ["late crew", "lovely quick flight", "plain", "rude"] * 5}


@pytest.fixture(scope="module")
def bundle(make_bundle: Callable[[str], Path]) -> Path:
    return make_bundle("text_encoder")


def test_cost_of_a_bundle(bundle: Path) -> None:
    figures = cost_figures(bundle, COLUMNS)
    assert figures["rows_per_second"] > 100
    # Python, numpy and ONNX Runtime are 65 MB; torch alone would add 150.
    assert 30 < figures["peak_memory_mb"] < 150


def test_latencies_of_bundles_side_by_side(bundle: Path, make_bundle: MakeBundle) -> None:
    both = latency_figures([bundle, make_bundle("ngram_bag")], COLUMNS)
    assert len(both) == 2
    for figures in both:
        assert 0 < figures["p50"] <= figures["p95"]
        assert 0 <= figures["noise"] < 1


@pytest.mark.parametrize("few", [1000, 1], ids=["here", "in a process"])
def test_answers_are_the_predictors(
    bundle: Path, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "FEW_ROWS", few)
    here = Predictor.load(bundle).probabilities(COLUMNS)
    np.testing.assert_allclose(answers(bundle, COLUMNS), here, atol=1e-6)


def test_the_teachers_eager_latency(make_model: Callable[[str], Path]) -> None:
    found = eager_figures(make_model("text_encoder"), COLUMNS)
    assert found["p50_ms"] > 0
    assert found["memory_mb"] > 150, "torch alone has so much"


def test_no_secret_reaches_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    assert "canary" not in small_environment().values()
    assert small_environment()["OMP_NUM_THREADS"] == "1"


def test_a_failure_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"measure ended with 1 on .*predictor.json"):
        cost_figures(tmp_path, COLUMNS)


def test_latency_is_of_whole_calls_one_row_at_a_time() -> None:
    asked = []
    p50, p95 = latency_ms(lambda row: asked.append(len(row["text"])), COLUMNS)
    assert set(asked) == {1}
    assert 0 < p50 <= p95 < 10


def test_peak_memory_has_the_unit_it_claims() -> None:
    assert 20 < peak_memory_mb() < 20_000


def test_many_rows_are_shared_and_stay_in_order(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = answers(bundle, {"text": COLUMNS["text"][:7]})
    monkeypatch.setattr(isolation, "FEW_ROWS", 3)
    monkeypatch.setattr(isolation, "SHARED_ROWS", 4)
    shared = answers(bundle, {"text": COLUMNS["text"][:7]})
    np.testing.assert_allclose(shared, whole, atol=1e-6)


def test_costs_are_measured_on_the_target_that_is_named(bundle: Path) -> None:
    one, ten = (latency_figures([bundle], COLUMNS, DeployConfig(batch=n))[0] for n in (1, 10))
    assert ten["p50"] > one["p50"], "ten rows a call take longer than one"
    assert cost_figures(bundle, COLUMNS, DeployConfig(threads=2, batch=3))["rows_per_second"] > 0
