"""Every shipped project on a sample, from its file to a decision."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = sorted((ROOT / "flows" / "projects").glob("*.yaml"))
pytestmark = pytest.mark.stack


def modelworks(*arguments: str) -> dict[str, Any]:
    command = (sys.executable, "-m", "flows.cli.main", *arguments, "--json")
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.stem)
def test_a_sample_of_each_shipped_project_ends_with_a_decision(stack: Path, project: Path) -> None:
    outcome = modelworks("run", str(project), "--sample", "200")
    assert outcome["decision"]["verdict"] in ("promoted", "held"), outcome["decision"]["reason"]
    roles = {candidate["role"] for candidate in outcome["candidates"]}
    assert {"baseline", "teacher", "student", "control"} <= roles
    assert modelworks("compare", outcome["project"])["candidates"]
