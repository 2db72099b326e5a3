"""The commands for the services: one JSON object each, and sentences for what is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]


def modelworks(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli.main", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "MODELWORKS_HOME": str(home)},
    )


def answer(home: Path, *arguments: str) -> dict[str, Any]:
    done = modelworks(home, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return dict(json.loads(done.stdout))


def test_up_prints_the_addresses_of_a_running_stack(stack: Path) -> None:
    said = answer(stack, "up")
    assert said["home"] == str(stack)
    assert said["addresses"]["mlflow"] == os.environ["MLFLOW_TRACKING_URI"]


def test_status_tells_of_every_service(stack: Path) -> None:
    said = answer(stack, "status")
    assert said["ready"]
    assert {each["name"] for each in said["services"]} == {
        "postgres",
        "s3",
        "ray",
        "prefect",
        "mlflow",
        "worker",
    }
    assert all(each["pid"] and each["memory_bytes"] > 0 for each in said["services"])


def test_the_doctor_finds_nothing_wrong_and_nothing_open(stack: Path) -> None:
    said = answer(stack, "doctor")
    assert said["findings"] == []
    assert said["reachable"] == []


def test_logs_are_the_last_lines(stack: Path) -> None:
    said = answer(stack, "logs", "postgres", "-n", "2")
    assert 0 < len(said["lines"]) <= 2


def test_env_can_be_evaluated_by_a_shell(stack: Path) -> None:
    lines = modelworks(stack, "env").stdout
    script = f'{lines}\nprintf %s "$MLFLOW_TRACKING_PASSWORD"'
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout
    assert said == os.environ["MLFLOW_TRACKING_PASSWORD"]


@pytest.mark.parametrize("command", ["status", "down", "env", "logs postgres"])
def test_a_home_without_a_stack_is_bad_input(stack: Path, tmp_path: Path, command: str) -> None:
    done = modelworks(tmp_path / "none", *command.split())
    assert done.returncode == 2
    assert "modelworks up" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_home_that_cannot_be_written_is_one_sentence(stack: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = modelworks(tmp_path / "file" / "home", "up")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
