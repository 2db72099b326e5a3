"""Kill it anywhere and call it again: nothing is lost, appears twice or is done twice."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import mlflow
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
STAGES = (
    "train_teacher",
    "label_rows",
    "train_student",
    "prune_model",
    "export_model",
    "quantize_candidate",
    "measure_costs",
)
"""Where it is killed, one after the other."""
SMALL = """\
name: resumed
data: {source: sklearn://digits, kind: image, image: {size: 8}, target: digit, max_rows: 400}
compute: {workers: 1}
teacher: {model: lenet, epochs: 3}
sweep: {trials: 1, rows: 160}
students: [{name: small, model: small_lenet, epochs: 2}]
compress: {prune: [{neurons: 0.5}], quantize: int8}
promote: {approval: none}
"""
ENDED = re.compile(r"✓ (?P<step>\w+) (?P<how>cached|[0-9.]+ s)$", re.MULTILINE)


@pytest.fixture(scope="module")
def command(stack: Path) -> list[str]:
    path = stack.parent / "resumed.yaml"
    path.write_text(SMALL)
    return [sys.executable, "-m", "flows.cli.main", "run", str(path), "--json"]


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], word: str) -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if word in line:
            return said
    pytest.fail(f"{word!r} was never said:\n{said}")


def killed_at(stage: str, command: list[str]) -> str:
    """What the command said until it was killed by SIGKILL, when it started `stage`."""
    process = start(command)
    try:
        said = read_until(process, f" {stage}  started")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.stderr is not None
    return said + process.stderr.read()


@pytest.fixture(scope="module")
def killed(command: list[str]) -> dict[str, str]:
    return {stage: killed_at(stage, command) for stage in STAGES}


@pytest.fixture(scope="module")
def last(command: list[str], killed: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def resumed(last: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return dict(json.loads(last.stdout))


def ended(said: str, how: str) -> Counter[str]:
    """How many steps of each name ended so, by what a run said."""
    return Counter(each["step"] for each in ENDED.finditer(said) if re.search(how, each["how"]))


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_a_stage_it_goes_on_there(
    killed: dict[str, str], last: subprocess.CompletedProcess[str], stage: str
) -> None:
    following = [*killed.values(), last.stderr][STAGES.index(stage) + 1]
    assert ended(killed[stage], "") <= ended(following, "cached")
    assert stage not in ended(killed[stage], "")
    assert f" {stage}  started" in following


def test_no_step_is_done_twice(
    killed: dict[str, str], last: subprocess.CompletedProcess[str]
) -> None:
    done = sum((ended(said, " s") for said in (*killed.values(), last.stderr)), Counter[str]())
    assert done <= ended(last.stderr, "")
    assert set(STAGES) <= set(done)


def test_no_run_appears_twice(resumed: dict[str, Any]) -> None:
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(resumed["project"])
    runs = client.search_runs([experiment.experiment_id])
    keys = Counter(run.data.tags["modelworks.run_key"] for run in runs)
    assert set(keys.values()) == {1}
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_no_metric_appears_twice(resumed: dict[str, Any]) -> None:
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(resumed["project"])
    for run in client.search_runs([experiment.experiment_id]):
        for name in run.data.metrics:
            steps = [point.step for point in client.get_metric_history(run.info.run_id, name)]
            assert len(steps) == len(set(steps)), (run.info.run_name, name, steps)


def test_one_version_was_registered(resumed: dict[str, Any]) -> None:
    versions = mlflow.MlflowClient().search_model_versions(f"name='{resumed['project']}'")
    assert [int(version.version) for version in versions] == [1]


def test_the_killed_runs_are_marked_crashed(resumed: dict[str, Any]) -> None:
    from flows.runs import list_runs

    states = [run["state"] for run in list_runs() if run["project"] == resumed["project"]]
    assert states == ["Completed", *["Crashed"] * len(STAGES)]


def test_a_stopped_command_says_how_to_go_on(command: list[str]) -> None:
    process = start(command)
    read_until(process, "prepare_data")
    # Not SIGINT, which whatever runs in the background of a shell ignores; both end alike.
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from" in said
    assert "Traceback" not in said
