"""Learning with rounding, zeros, a searched pruning and a comparison over seeds, in one run on real
services."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
SMALL = """\
name: figures
data: {source: sklearn://digits, kind: image, image: {size: 8}, target: digit, max_rows: 400}
compute: {workers: 1}
teacher: {model: lenet, epochs: 2, lr: 1e-3}
students: [{name: small, model: small_lenet, epochs: 2}]
sweep:
  space: {compress.prune.1.neurons: {choice: [0.25, 0.75]}}
  search: {sampler: grid, objectives: [quality, size_mb]}
  budget: {trials: 2}
budget: {max_drop: 1}
compress:
  prune: [{of: small, pattern: 2:4}, {neurons: 0.5}]
  quantize: [int8, {precision: int8, aware: true}]
promote: {approval: none}
"""


def modelworks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "flows.cli.main", *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=560, cwd=ROOT)


@pytest.fixture(scope="module")
def project_file(stack: Path) -> Path:
    path = stack.parent / "figures.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def found(project_file: Path) -> dict[str, Any]:
    done = modelworks("run", str(project_file), "--thorough", "--json")
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def test_a_model_that_was_trained_for_its_form_is_a_candidate_in_that_form_alone(
    found: dict[str, Any],
) -> None:
    made_from = {c["name"]: c["parent"] for c in found["candidates"]} | dict.fromkeys(
        found["refused"], "small"
    )
    assert made_from["small-int8"] == made_from["small-int8-aware"] == "small"
    assert not [name for name in made_from if name.endswith("aware-int8")]


def test_a_model_that_was_trained_for_its_form_stands_beside_its_control(
    found: dict[str, Any],
) -> None:
    """In the same form, made of the student's control; nothing of it is chosen."""
    by_name = {c["name"]: c for c in found["candidates"]}
    controls = {"small-int8-aware-control", "teacher-pruned-int8-aware-control"}
    assert {name for name in by_name if "aware-control" in name} == controls
    control = by_name["small-int8-aware-control"]
    assert (control["role"], control["parent"]) == ("control", "small-control")
    assert control["size_bytes"] < by_name["small-control"]["size_bytes"]
    assert control["params"] == by_name["small-control"]["params"]
    assert not {found["selected"], *found["refused"]} & controls
    assert "test/macro_f1" not in control["metrics"]


def test_zeros_are_no_candidate_and_it_is_said_what_they_are_worth(found: dict[str, Any]) -> None:
    sentence = found["refused"]["small-pruned"]
    assert "of the weights of its products are zeros" in sentence
    assert "smaller in a zip archive alone" in sentence
    assert found["refused"]["small-pruned-int8"].endswith("small-pruned is refused, so is this")
    assert "small-pruned" not in {c["name"] for c in found["candidates"]}
    assert "small-pruned-int8-aware" not in found["refused"]


def test_what_goes_of_the_teacher_is_the_share_that_the_budget_picked(
    found: dict[str, Any],
) -> None:
    """Of two hidden layers of 120 and 84 neurons; the smaller trial is within any drop."""
    assert found["choice"]["values"] == {"compress.prune.1.neurons": 0.75}
    assert "for the budget, trial" in found["choice"]["reason"]
    assert "; over 3 new seeds 0." in found["choice"]["reason"]
    params = {c["name"]: c["params"] for c in found["candidates"]}
    convolutions, full = 32 * 26 + 64 * (32 * 25 + 1), 30 * 257 + 21 * 31 + 10 * 22
    assert params["teacher-pruned"] == convolutions + full


def test_trials_have_the_figures_that_candidates_have(found: dict[str, Any]) -> None:
    client, sweep = mlflow.MlflowClient(), found["choice"]["run"]["run_id"]
    run = client.get_run(sweep)
    under = f"tags.`mlflow.parentRunId` = '{sweep}'"
    trials = [each.data.metrics for each in client.search_runs([run.info.experiment_id], under)]
    assert len(trials) == 2
    for metrics in trials:
        assert metrics.keys() >= {"valid/macro_f1", "size/bytes"}
        assert [name for name in metrics if name.startswith("curve/valid/")], metrics
    smallest = min(metrics["size/bytes"] for metrics in trials)
    assert run.data.metrics["best/size/bytes"] == run.data.metrics["size/bytes"] == smallest
    assert run.data.metrics["confirmed/spread"] >= 0


def test_what_is_taught_and_its_control_are_compared_by_three_seeds(found: dict[str, Any]) -> None:
    compared, *recovered = found["seeds"]
    assert compared["name"] == "small"
    assert [each["name"] for each in recovered] == ["small-pruned", "teacher-pruned"]
    assert {len(each["taught"]) for each in recovered} == {3}
    assert len(compared["taught"]) == len(compared["alone"]) == 3
    by_name = {c["name"]: c["metrics"]["valid/macro_f1"] for c in found["candidates"]}
    assert compared["taught"][0] == by_name["small"]
    assert compared["alone"][0] == by_name["small-control"]
    gain = compared["gain"]
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert not [name for name in by_name if "-seed-" in name]
    run = mlflow.MlflowClient().get_run(found["run_id"])
    assert run.data.metrics["teacher/small/gain"] == gain["value"]
    assert "3 seeds on validation rows" in run.data.tags["modelworks.teacher.small"]
    children = mlflow.MlflowClient().search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{found['run_id']}'"
    )
    curves = {child.info.run_name for child in children}
    assert {"small-seed-8", "small-seed-9-control", "small-int8-aware", "small-pruned"} <= curves
    assert "small-int8-aware-control" in curves
    assert {"teacher-pruned-seed-8", "small-pruned-seed-9-control"} <= curves


def test_what_was_shrunk_is_told_beside_what_was_whole(found: dict[str, Any]) -> None:
    known = {c["name"]: c for c in found["candidates"]}
    line = [found["selected"]]
    while known[line[0]]["role"] in ("pruned", "compressed"):
        line.insert(0, known[line[0]]["parent"])
    told = found["quality"]["compressed"]
    assert list(told.values()) == (line if len(line) > 1 else [])
    assert {frozenset(each["estimates"]) for each in found["quality"]["compression"]} == (
        {frozenset(told)} if told else set()
    )


def test_the_same_run_again_reuses_every_step(found: dict[str, Any], project_file: Path) -> None:
    done = modelworks("run", str(project_file), "--thorough", "--json")
    again = json.loads(done.stdout)
    assert {step["state"] for step in again["steps"]} == {"cached"}
    assert again["seeds"] == found["seeds"]
