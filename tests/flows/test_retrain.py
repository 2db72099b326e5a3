"""Which costs the holdout's reports have."""

from typing import Any

import pytest

import flows.retrain
from tasks.artifacts import Candidate, Cost, DatasetRef, EvalReport, Latency, Role
from tasks.packaging.deploy import DeployConfig
from tasks.promotion.selection import Selection

DATASET = DatasetRef(
    name="moods",
    uri="s3://modelworks/datasets/moods/1/",
    sha256="1" * 64,
    source_sha256="2" * 64,
    kind="text",
    inputs=("text",),
    target="mood",
    classes=("bad", "good"),
    rows={"train": 80, "valid": 10, "test": 10},
)


def candidate(name: str, role: Role) -> Candidate:
    return Candidate(
        name=name,
        role=role,
        parent=None,
        uri=f"s3://modelworks/bundles/{name}/",
        sha256=name,
        size_bytes=1000,
        params=10,
        model_sha256=name,
    )


def report(name: str, role: Role, p50: float) -> EvalReport:
    return EvalReport(
        candidate=candidate(name, role),
        split="valid",
        rows=10,
        metrics={"macro_f1": 0.7},
        confusion=((5, 0), (0, 5)),
        predictions_uri=f"s3://modelworks/predictions/{name}/",
        cost=cost(p50),
    )


def cost(p50: float) -> Cost:
    return Cost(latency_ms=Latency(p50=p50, p95=p50), rows_per_second=10, peak_memory_mb=100)


REPORTS = [report("base", "baseline", 1.0), report("big", "teacher", 9.0)]
REPORTS += [report("small", "student", 2.0), report("other", "student", 3.0)]


@pytest.fixture
def measured_together(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Names of what each call measured; the second measurement finds other figures."""
    calls: list[list[str]] = []

    def measure(candidates: list[Candidate], *_: Any) -> list[Cost]:
        calls.append([c.name for c in candidates])
        return [cost(20.0 + place) for place, _ in enumerate(candidates)]

    def evaluated(candidates: list[Candidate], costs: list[Cost], *_: Any) -> Any:
        return dict(
            zip((c.name for c in candidates), (c.latency_ms.p50 for c in costs), strict=True)
        )

    monkeypatch.setattr(flows.retrain, "measure_costs", measure)
    monkeypatch.setattr(flows.retrain, "evaluated", evaluated)
    return calls


def proof(champion: Candidate | None) -> Any:
    selection = Selection(
        name="small",
        sha256="small",
        fits=True,
        baseline_sha256="base",
        baseline_fits=True,
        reason="chosen",
        checks=(),
    )
    return flows.retrain.proof_of(DeployConfig(), selection, REPORTS, champion, DATASET)


def test_the_selected_one_is_measured_again_beside_the_champion(
    measured_together: list[list[str]],
) -> None:
    assert proof(candidate("old", "student")) == {"base": 1, "big": 9, "small": 20, "old": 21}
    assert measured_together == [["small", "old"]]


@pytest.mark.parametrize("champion", [None, REPORTS[0].candidate], ids=["none", "among them"])
def test_who_was_measured_with_the_others_is_not_measured_again(
    measured_together: list[list[str]], champion: Candidate | None
) -> None:
    assert proof(champion) == {"base": 1, "big": 9, "small": 2}
    assert not measured_together
