"""Kill it anywhere and call it again: nothing is lost, nothing appears twice."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import mlflow
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "flows/projects/sentiment.yaml"
pytestmark = pytest.mark.stack
RUN = (sys.executable, "-m", "flows.cli.main", "run", str(PROJECT), "--sample", "300", "--set")
RESUMED = (*RUN, "name=resumed", "--set", "students.0.layers=1", "--set", "students.1.width=16")


def start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*RESUMED, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if word in line:
            return
    pytest.fail(f"{word!r} was never said:\n{''.join(seen)}")


def kill_at(word: str) -> None:
    """SIGKILL the command when it says `word`."""
    process = start()
    try:
        read_until(process, word)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def resumed(stack: Path) -> dict[str, Any]:
    for word in ("train_teacher", "measure_costs"):
        kill_at(word)
    done = subprocess.run([*RESUMED, "--json"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_finished_steps_were_reused(resumed: dict[str, Any]) -> None:
    states = {step["name"]: step["state"] for step in resumed["steps"]}
    reused = ("prepare_data", "tune_model", "train_teacher", "label_rows", "train_student")
    assert {states[name] for name in reused} == {"cached"}
    assert states["measure_costs"] == "ran"


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
    assert states == ["Completed", "Crashed", "Crashed"]


def test_a_stopped_command_says_how_to_go_on(stack: Path) -> None:
    process = start()
    read_until(process, "prepare_data")
    # Not SIGINT, which whatever runs in the background of a shell ignores; both end alike.
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from" in said
    assert "Traceback" not in said
