"""Runs and versions in the real MLflow, and a registered model in a plain process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper, numpy_helper

from tasks.artifacts import Candidate, DatasetRef
from tasks.packaging.manifest import digest_of_files, write_manifest
from tasks.promotion.sample_answer import PREDICTOR_FOLDER, example_and_answer

pytestmark = pytest.mark.stack
CLASSES = ("negative", "positive")
DATASET = DatasetRef(
    name="tweets",
    uri="s3://modelworks/datasets/tweets/x/",
    sha256="ab" * 32,
    source_sha256="cd" * 32,
    kind="text",
    inputs=("text",),
    target="mood",
    classes=CLASSES,
    rows={"train": 1, "valid": 2, "test": 1},
)
# Refuses our packages, so that what loads is what MLflow kept with the model.
ALONE = """
import json, sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"tasks", "infra", "flows", "models"}:
            raise ImportError(name)
sys.meta_path.insert(0, Wall())
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
answer = model.predict(pandas.DataFrame({"text": ["good", "bad"]}))
try:
    model.predict(pandas.DataFrame({"txt": ["good"]}))
except Exception as error:
    refusal = str(error)
print(json.dumps({"columns": list(answer), "labels": list(answer["label"]), "refusal": refusal}))
"""


def write_bundle(folder: Path, seed: int) -> str:
    """A bag of hashed n-grams with random weights, as a bundle; its digest."""
    folder.mkdir()
    table = np.random.default_rng(seed).normal(size=(1024, 2)).astype(np.float32)
    tensors = {"table": table, "two": np.array([2]), "one": np.array([1])}
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Unsqueeze", ["attention_mask", "two"], ["weights"]),
        helper.make_node("Mul", ["rows", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "one"], ["logits"], keepdims=0),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "bag",
        [
            value("input_ids", TensorProto.INT64, ["b", "l"]),
            value("attention_mask", TensorProto.FLOAT, ["b", "l"]),
        ],
        [value("logits", TensorProto.FLOAT, ["b", 2])],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), folder / "model.onnx")
    encoder = {"kind": "hashed_ngrams", "column": "text", "buckets": 1024}
    encoder |= {"word_ngrams": [1, 2], "char_ngrams": [3, 5]}
    facts = {"format": 1, "encoder": encoder, "classes": CLASSES, "inputs": ["text"]}
    facts["batch_rows"] = 64
    (folder / "predictor.json").write_text(json.dumps({**facts, "target": "mood"}))
    digest = digest_of_files(folder, ["model.onnx", "predictor.json"])
    write_manifest(folder, digest)
    return digest


@pytest.fixture
def project(stack: Path) -> str:
    return f"test-registry-{uuid4().hex[:8]}"


def registered(project: str, folder: Path, seed: int, run_id: str = "") -> tuple[int, Candidate]:
    """Register a random bundle as the verb does; version and candidate."""
    from infra import registry, tracking

    data, bundle = folder / "data", folder / f"bundle-{seed}"
    data.mkdir(exist_ok=True)
    rows = {"text": ["good", "bad"], "mood": ["positive", "negative"], "row_id": [0, 1]}
    pq.write_table(pa.table(rows), data / "valid.parquet")
    if not bundle.exists():
        write_bundle(bundle, seed)
    digest = json.loads((bundle / "manifest.json").read_text())["digest"]
    candidate = Candidate(
        name=f"bag-{seed}",
        role="student",
        parent=None,
        uri=f"s3://modelworks/bundles/{digest}/",
        sha256=digest,
        size_bytes=9000,
        params=2048,
        model_sha256=digest,
    )
    example, answer = example_and_answer(bundle, data, DATASET)
    registration = registry.Registration(
        project=project,
        sha256=digest,
        run_id=run_id or tracking.open_run(project, f"run-{seed}", "student", {}, {}).run_id,
        bundle=bundle,
        predictor=PREDICTOR_FOLDER,
        example=example,
        answer=answer,
        tags={"modelworks.candidate": candidate.model_dump_json()},
    )
    return registry.register(registration), candidate


def child(night: str, name: str, role: str, parent: str = "", **digests: str) -> str:
    """A model's run below that of a night, with the digests of its weights and its parents'."""
    from infra import tracking

    tags = {"modelworks.role": role, **({"modelworks.parent": parent} if parent else {})}
    tags |= {f"modelworks.{what}": value for what, value in digests.items()}
    return tracking.child_run(night, f"{night}/{name}", name, tags, {})


@pytest.mark.parametrize("kept", [True, False], ids=["by-digest", "by-name"])
def test_a_version_s_family_is_found_in_every_run(project: str, tmp_path: Path, kept: bool) -> None:
    """By digests; by names, which records of before had alone, in its own run."""
    from flows.cli.champions import relatives
    from infra import tracking

    nights = [tracking.open_run(project, night, "retrain", {}, {}).run_id for night in "ab"]
    teacher, two = ({"model": "t"}, {"parents": "t u"}) if kept else ({}, {})
    own = [{"model": "s1"}, {"model": "s2"}] if kept else [{}, {}]
    bits = {"model": "s2", "parents": "s2"} if kept else {}
    for night in nights:
        child(night, "teacher", "teacher", **teacher)
    asked = child(nights[0], "bag-1", "student", "teacher", **two, **own[0])
    child(nights[1], "bag-1", "student", "teacher", **two, **own[1])
    child(nights[1], "bag-1-int8", "compressed", "bag-1", **bits)
    version, _ = registered(project, tmp_path, 1, asked)
    found = [(r.depth, r.name, r.standing) for r in relatives(project, version)]
    mine = [(0, "teacher", "ancestor"), (1, "bag-1", "asked")]
    others = [(1, "bag-1", ""), (2, "bag-1-int8", ""), (0, "teacher", "ancestor")]
    assert found == [*mine, *(others if kept else [])]


def test_a_bundle_has_one_version(project: str, tmp_path: Path) -> None:
    from infra import registry

    assert [registered(project, tmp_path, seed)[0] for seed in (1, 2, 1)] == [1, 2, 1]
    assert [item.version for item in registry.versions(project)] == [1, 2]
    with pytest.raises(ValueError, match=f"version 7 of {project} does not exist; allowed: 1, 2"):
        registry.get_version(project, 7)


def test_a_version_loads_where_modelworks_is_not(project: str, tmp_path: Path) -> None:
    from infra import registry

    version, _ = registered(project, tmp_path, 1)
    registry.set_alias(project, "champion", version)
    plain = {**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    plain.pop("PYTHONPATH", None)
    command = [sys.executable, "-I", "-c", ALONE, f"models:/{project}@champion"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=plain)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["columns"] == ["label", "probability_negative", "probability_positive"]
    assert set(answer["labels"]) <= set(CLASSES)
    assert "missing inputs ['text']" in answer["refusal"]


def test_the_version_has_signature_and_example(project: str, tmp_path: Path) -> None:
    import mlflow

    version, _ = registered(project, tmp_path, 1)
    info = mlflow.models.get_model_info(f"models:/{project}/{version}")
    assert info.signature is not None
    assert info.signature.inputs.input_names() == ["text"]
    assert info.saved_input_example_info is not None


def test_a_run_is_found_before_it_is_made(project: str) -> None:
    from infra import tracking

    first = tracking.open_run(project, "key", "retrain", {"a": "b"}, {"lr": 1})
    again = tracking.open_run(project, "key", "retrain", {"a": "b"}, {"lr": 1})
    assert first.run_id == again.run_id
    children = {tracking.child_run(first.run_id, "key/c", "c", {}, {}) for _ in range(2)}
    assert len(children) == 1
    found = tracking.find_runs(project, {tracking.PARENT: first.run_id})
    assert [run.run_id for run in found] == list(children)
    assert first.url.endswith(f"/runs/{first.run_id}")


def test_metrics_are_written_once_however_often_they_are_sent(project: str) -> None:
    from infra import tracking

    run = tracking.open_run(project, "key", "retrain", {}, {}).run_id
    points = [{"step": n, "time_ms": 10 * n, "train/loss": 1 / (n + 1)} for n in range(1200)]
    tracking.log_history(run, points[:700])
    tracking.log_history(run, points)
    tracking.log_metrics(run, {"valid/accuracy": 0.5})
    tracking.log_metrics(run, {"valid/accuracy": 0.5})
    figures = {f"test/{place}": 0.1 * place for place in range(130)}
    children = [tracking.child_run(run, "key/c", "c", {"a": "b"}, {}, figures) for _ in range(2)]
    client = tracking.client()
    assert client.get_run(children[0]).data.metrics == pytest.approx(figures)
    assert len(client.get_metric_history(children[1], "test/7")) == 1
    assert [m.step for m in client.get_metric_history(run, "train/loss")] == list(range(1200))
    assert len(client.get_metric_history(run, "valid/accuracy")) == 1


def test_dataset_files_and_status_are_kept(project: str, tmp_path: Path) -> None:
    from infra import tracking

    run = tracking.open_run(project, "key", "retrain", {}, {}).run_id
    for _ in range(2):
        tracking.log_dataset(run, "tweets", "ab" * 32, "s3://b/d/", "{}")
    (tmp_path / "a.txt").write_text("hi")
    tracking.log_files(run, tmp_path / "a.txt", "notes")
    tracking.end_run(run, "FAILED")
    stored = tracking.client().get_run(run)
    assert [item.dataset.name for item in stored.inputs.dataset_inputs] == ["tweets"]
    assert stored.info.status == "FAILED"
    assert [item.path for item in tracking.client().list_artifacts(run, "notes")] == ["notes/a.txt"]
    assert tracking.open_run(project, "key", "retrain", {}, {}).status == "FAILED"
    assert tracking.get_run(run).status == "RUNNING"


class Played(NamedTuple):
    """A project where version 1 was champion and version 2 is."""

    project: str
    first: Candidate
    second: Candidate


@pytest.fixture(scope="module")
def played(stack: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    from infra.storage import open_storage
    from tasks.promotion import moves
    from tasks.promotion.ledger import Ledger, Note

    project, folder = f"test-ops-{uuid4().hex[:8]}", tmp_path_factory.mktemp("ops")
    first, second = (registered(project, folder, seed)[1] for seed in (1, 2))
    ledger = Ledger(open_storage(), project)
    for version, candidate in enumerate((first, second), start=1):
        note = Note(id=f"p{version}", actor="night", reason="better")
        moves.promote(ledger, candidate, version, note)
    return Played(project, first, second)


def modelworks(*arguments: str) -> int:
    """Run the command in this process; its exit code."""
    from flows.cli.main import app, guarded

    return guarded(lambda: app(list(arguments), standalone_mode=False))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("promote", "{}@9", "--reason", "x"), "version 9 of"),
        (("promote", "{}@x", "--reason", "x"), "version 'x' of"),
        (("rollback", "{}", "--reason", " "), "--reason must say why"),
        (("rollback", "{}", "--to", "7", "--reason", "x"), "is no earlier champion"),
        (("approve", "{}", "--reason", "x"), "waits for approval"),
        (("reject", "{}"), "Missing option '--reason'"),
        (("history", "nobody-knows-it"), "has no ledger; known: "),
        (("history", "../etc"), "has no ledger; known: "),
        (("compare", "{}"), "no run of test-ops-"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_ops_refuse_in_one_sentence(
    played: Played,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    assert modelworks(*(argument.format(played.project) for argument in arguments)) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.out == ""


def test_ops_move_the_champion_and_its_alias(
    played: Played,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from infra import registry

    monkeypatch.setenv("MODELWORKS_ACTOR", "ann")
    registry.set_alias(played.project, "champion", 1)  # somebody meddled with the mirror
    assert modelworks("promote", f"{played.project}@1", "--reason", "try", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["action"], told["actor"], told["champion"]["version"]) == ("promote", "ann", 1)
    assert registry.alias_version(played.project, "champion") == 1
    assert modelworks("rollback", played.project, "--reason", "slow", "--json") == 0
    back = json.loads(capsys.readouterr().out)
    seat = {"sha256": played.second.sha256, "version": 2, "generation": 4, "entry": 4}
    assert back["champion"] == seat
    assert registry.alias_version(played.project, "champion") == 2
    assert modelworks("history", played.project, "--json") == 0
    history = json.loads(capsys.readouterr().out)
    assert [entry["action"] for entry in history["entries"]] == [*["promote"] * 3, "rollback"]
    assert history["faults"] == []


def test_history_says_that_the_chain_is_broken(
    played: Played,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from infra.storage import open_storage

    key = f"ledger/{played.project}/entries/00000001.json"
    open_storage().put(key, open_storage().get(key).replace(b"night", b"noon"))
    assert modelworks("history", played.project) == 1
    assert "BROKEN: 00000002.json does not follow" in capsys.readouterr().out
    assert modelworks("rollback", played.project, "--reason", "x") == 1
    assert "is broken" in capsys.readouterr().err
