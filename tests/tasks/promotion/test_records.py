import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.artifacts import EvalReport, RunRef, TrainedModel
from tasks.promotion.records import (
    child_key,
    figures_of,
    flat_params,
    objective_figures,
    read_history,
    safe_name,
)

Make = Callable[..., EvalReport]
RUN = RunRef(run_id="r1", url="http://here")


def test_settings_become_flat_params() -> None:
    settings = {"name": "t", "teacher": {"lr": 1, "deep": {"x": None}}, "students": [{"name": "s"}]}
    assert flat_params(settings) == {
        "name": "t",
        "teacher.lr": "1",
        "teacher.deep.x": "None",
        "students.0.name": "s",
    }


def test_every_child_has_the_same_figures(report: Make) -> None:
    figures = figures_of(report("a", 0.7))
    assert figures["valid/macro_f1"] == 0.7
    assert {"latency/p50_ms", "latency/p95_ms", "size/bytes", "params"} <= figures.keys()
    assert "latency/eager_p50_ms" not in figures
    assert figures_of(report("a", split="test")).keys() >= {"test/macro_f1"}


def test_what_a_search_seeks_has_the_names_of_candidates_figures(report: Make) -> None:
    sought = {"quality": 0.9, "p50_ms": 1, "p95_ms": 2, "size_mb": 0.5, "memory_mb": 70.0}
    found = objective_figures({**sought, "parameters": 12.0}, "valid/loss", "valid/macro_f1")
    assert found.keys() <= figures_of(report("a", 0.7)).keys()
    assert (found["size/bytes"], found["latency/p95_ms"]) == (5e5, 2)
    assert objective_figures({"score": -0.25}, "valid/loss", "") == {"valid/loss": 0.25}


@pytest.mark.parametrize(
    ("name", "safe"),
    [("precision/neutral", "precision/neutral"), ("recall/säuer(lich)", "recall/s_uer_lich_")],
    ids=["plain", "odd"],
)
def test_a_class_may_be_called_anything(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_model_and_its_bundle_share_a_child_run(report: Make) -> None:
    candidate = report("a").candidate
    model = TrainedModel(
        name="a",
        role="student",
        parent=None,
        uri="s3://b/m/",
        sha256=candidate.model_sha256,
        params=1,
    )
    assert child_key(RUN, model) == child_key(RUN, candidate)
    shrunk = candidate.model_copy(update={"name": "a-int8", "role": "compressed"})
    assert child_key(RUN, shrunk) != child_key(RUN, candidate)
    aware = model.model_copy(update={"name": "a-int8", "role": "compressed"})
    assert child_key(RUN, aware) == child_key(RUN, shrunk)


def test_history_is_read_with_safe_names(tmp_path: Path) -> None:
    assert read_history(tmp_path) == []
    point = {"step": 1, "time_ms": 5, "valid/f1(x)": 0.5}
    (tmp_path / "history.json").write_text(json.dumps([point]))
    assert read_history(tmp_path) == [{"step": 1, "time_ms": 5, "curve/valid/f1_x_": 0.5}]
