"""The steps of proof and promotion on real services, with artifacts that cost nothing to make."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.artifacts import (
    Candidate,
    Cost,
    DatasetRef,
    Decision,
    EvalReport,
    Latency,
    Role,
    RunRef,
    Split,
    TrainedModel,
    Tuned,
)
from tasks.evaluation.config import BudgetConfig
from tasks.packaging.answers import save_answers
from tasks.packaging.bundle import FACTS, BundleFacts
from tasks.packaging.manifest import write_manifest
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Standing
from tasks.promotion.selection import Selection
from tasks.training.table_models import text_encoder

pytestmark = pytest.mark.stack
ROWS = 600
GATE = GatePolicy(resamples=200)


class Made(NamedTuple):
    """A project whose models were trained and measured."""

    project: str
    dataset: DatasetRef
    folder: Path


def store(folder: Path, prefix: str) -> tuple[str, str]:
    """Upload a folder under its own digest; address and digest."""
    from infra.storage import open_storage

    digest = uuid4().hex
    write_manifest(folder, digest)
    return open_storage().upload_folder(folder, f"{prefix}/{digest}"), digest


@pytest.fixture
def made(stack: Path, tmp_path: Path) -> Made:
    project, folder = f"test-steps-{uuid4().hex[:8]}", tmp_path / "data"
    folder.mkdir()
    for split in ("train", "valid", "test"):
        labels = ["yes" if n % 2 else "no" for n in range(ROWS)]
        rows = {"text": ["good bad"] * ROWS, "y": labels, "row_id": list(range(ROWS))}
        pq.write_table(pa.table(rows), folder / f"{split}.parquet")
    side = {"rows": ROWS, "share": 1 / 3, "groups": ROWS, "classes": {"no": 1, "yes": ROWS - 1}}
    report = {
        "source": {"name": "rows.csv"},
        "kind": "text",
        "inputs": ["text"],
        "target": "y",
        "classes": ["no", "yes"],
        "rows": {"read": 3 * ROWS, "kept": 3 * ROWS, "dropped": {}},
        "splits": dict.fromkeys(("train", "valid", "test"), side),
    }
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    uri, digest = store(folder, f"datasets/{project}")
    dataset = DatasetRef(
        name=project,
        uri=uri,
        sha256=digest,
        source_sha256=digest,
        kind="text",
        inputs=("text",),
        target="y",
        classes=("no", "yes"),
        rows={"train": ROWS, "valid": ROWS, "test": ROWS},
    )
    return Made(project, dataset, tmp_path)


def report(made: Made, name: str, accuracy: float, role: Role, split: Split) -> EvalReport:
    """A candidate that is right on the first share of the rows."""
    truth = np.arange(ROWS) % 2
    wrong = np.arange(ROWS) >= accuracy * ROWS
    predicted = np.where(wrong, 1 - truth, truth)
    folder = made.folder / f"{name}-{split}-{uuid4().hex[:6]}"
    folder.mkdir()
    probabilities = np.eye(2, dtype=np.float32)[predicted]
    save_answers(folder, probabilities)
    sha256 = hashlib.sha256(f"{made.project}{name}".encode()).hexdigest()
    return EvalReport(
        candidate=Candidate(
            name=name,
            role=role,
            parent=None,
            uri=bundle_uri(made, sha256),
            sha256=sha256,
            size_bytes=1000,
            params=10,
            model_sha256=sha256,
        ),
        split=split,
        rows=ROWS,
        metrics={"accuracy": accuracy, "macro_f1": accuracy},
        confusion=((1, 2), (3, 4)),
        predictions_uri=store(folder, "predictions")[0],
        cost=Cost(latency_ms=Latency(p50=1, p95=2), rows_per_second=9, peak_memory_mb=50),
    )


def bundle_uri(made: Made, sha256: str) -> str:
    """Where a bundle lies that says what it reads, and no more."""
    from infra.storage import open_storage

    encoder = text_encoder(["text"])
    facts = BundleFacts(encoder=encoder, classes=("no", "yes"), inputs=("text",), target="y")
    folder = made.folder / f"bundle-{uuid4().hex[:6]}"
    folder.mkdir()
    (folder / FACTS).write_text(facts.model_dump_json(), encoding="utf-8")
    write_manifest(folder, sha256)
    return open_storage().upload_folder(folder, f"bundles/{sha256}")


class Proved(NamedTuple):
    """What the gate was asked, and what it said."""

    selection: Selection
    standing: Standing
    decision: Decision


def prove(
    made: Made, name: str, accuracy: float, champion: EvalReport | None, approval: Any = "none"
) -> Proved:
    from tasks.decide_promotion import decide_promotion
    from tasks.find_standing import find_standing
    from tasks.select_candidate import select_candidate

    promote = PromoteConfig(approval=approval)
    facts: list[tuple[str, float, Role]] = [(name, accuracy, "student"), ("base", 0.6, "baseline")]
    valid = [report(made, *fact, "valid") for fact in facts]
    selection = select_candidate.fn(valid, BudgetConfig(), "macro_f1")
    standing = find_standing(made.project, GATE, promote, selection, made.dataset)
    proof = [report(made, *fact, "test") for fact in facts]
    proof += [champion] if champion else []
    decision = decide_promotion.fn(GATE, promote, selection, standing, proof, made.dataset)
    return Proved(selection, standing, decision)


def promote(made: Made, proved: Proved, name: str, version: int) -> int:
    from tasks.promote_model import promote_model

    candidate = report(made, name, 0.5, "student", "test").candidate
    return promote_model.fn(made.project, proved.decision, candidate, version, proved.standing)


def test_a_proven_candidate_becomes_champion_once(made: Made, monkeypatch: Any) -> None:
    from tasks import promote_model as verb

    mirrored: list[str] = []
    monkeypatch.setattr(verb, "mirror_aliases", mirrored.append)
    first = prove(made, "small", 0.8, champion=None)
    assert first.decision.verdict == "promoted"
    assert promote(made, first, "small", 1) == 1
    again = prove(made, "small", 0.8, champion=None)
    assert again.standing == first.standing
    assert again.decision == first.decision
    assert promote(made, again, "small", 1) == 1
    champion = report(made, "small", 0.8, "student", "test")
    worse = prove(made, "other", 0.7, champion)
    assert worse.standing.champion == champion.candidate
    assert worse.decision.verdict == "held"
    assert promote(made, worse, "other", 2) == 2
    better = prove(made, "third", 0.9, champion, approval="one")
    assert better.decision.verdict == "waiting"
    assert promote(made, better, "third", 3) == 3
    assert mirrored == [made.project] * 4


def test_everything_is_recorded_once(made: Made) -> None:
    from infra import tracking
    from tasks.open_run import open_run
    from tasks.record_decision import record_decision
    from tasks.record_reports import record_reports
    from tasks.record_training import record_training

    settings = {"name": made.project, "gate": {"margin": 0.01}}
    small = report(made, "small", 0.8, "student", "valid")
    model = model_of(made, small)
    ramp = ((1e-5, 1.0), (1e-3, 0.5))
    tuned = Tuned(lr=1e-4, reason="steepest", trials=(), range_test=ramp, suggested=None)
    proved = prove(made, "small", 0.8, champion=None)

    def record() -> RunRef:
        run = open_run.fn(made.project, settings, made.dataset, None)
        children = record_training.fn(run, [model], tuned)
        assert record_reports.fn(run, [small], made.dataset) == children
        assert record_decision.fn(run, [small], GATE, "small", proved.decision, 1) == "promoted"
        return run

    run = record()
    assert record() == run
    (parent,) = tracking.find_runs(made.project, {tracking.ROLE: "retrain"})
    (child,) = tracking.find_runs(made.project, {tracking.PARENT: run.run_id})
    assert (parent.status, parent.tags["modelworks.verdict"]) == ("FINISHED", "promoted")
    assert parent.params["gate.margin"] == "0.01"
    assert (child.status, child.name) == ("FINISHED", "small")
    assert child.tags["modelworks.bundle"] == small.candidate.sha256
    assert child.metrics["valid/macro_f1"] == 0.8
    client = tracking.client()
    assert [m.value for m in client.get_metric_history(child.run_id, "train/loss")] == [1.0, 0.5]
    plots = {item.path for item in client.list_artifacts(run.run_id, "plots")}
    assert plots == {f"plots/{n}.png" for n in ("learning_curves", "learning_rates", "pareto")}
    assert [item.path for item in client.list_artifacts(child.run_id, "plots")] == [
        "plots/confusion_valid.png"
    ]


def test_runs_that_died_are_closed_by_the_next(made: Made) -> None:
    from infra import tracking
    from tasks.close_runs import close_runs
    from tasks.open_run import open_run

    dead, alive = (open_run.fn(made.project, {"n": n}, made.dataset, None).run_id for n in (1, 2))
    assert tracking.get_run(dead).status == "KILLED"
    assert tracking.get_run(alive).status == "RUNNING"
    assert close_runs(made.project, "FAILED") == 1
    assert tracking.get_run(alive).status == "FAILED"


def model_of(made: Made, seen: EvalReport) -> TrainedModel:
    """The float model that a candidate was exported from, with a curve of two points."""
    folder = made.folder / "model"
    folder.mkdir()
    points = [{"step": n, "time_ms": n, "train/loss": 1 / (n + 1)} for n in range(2)]
    (folder / "history.json").write_text(json.dumps(points))
    uri, _ = store(folder, "models")
    candidate = seen.candidate
    return TrainedModel(
        name=candidate.name,
        role=candidate.role,
        parent=None,
        uri=uri,
        sha256=candidate.model_sha256,
        params=10,
    )
