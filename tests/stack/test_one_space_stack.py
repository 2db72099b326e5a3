"""A student's shape, lesson and pruning searched as one: killed, taken up again, confirmed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow.fs import FileSelector

from tests.stack.killing import kill_when

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.stack
PROJECT = """
name: one-space
data: {source: "sklearn://digits", kind: image, target: digit, image: {size: 8}, max_rows: 400}
teacher: {model: lenet, epochs: 2, lr: 0.003}
students: [{name: small, model: small_lenet, epochs: 8}]
compress:
  prune: [{of: small, neurons: 0.5, rounds: 2, rows: 100}]
sweep:
  space:
    students.0.filters: {choice: [[12, 24], [24, 48]]}
    students.0.lr: {log: [0.001, 0.01]}
    compress.distil.temperature: {choice: [2.0, 4.0]}
    compress.prune.0.neurons: {linear: [0.1, 0.9]}
    compress.prune.0.recover.lr: {log: [0.001, 0.01]}
  search: {engine: actors, sampler: random, confirm_seeds: 2}
  budget: {trials: 4}
"""


def left_ahead() -> list[str]:
    """What is kept of trainings ahead of trials."""
    from infra.storage import arrow_filesystem, open_storage

    place = FileSelector(
        f"{open_storage().bucket}/checkpoints", recursive=True, allow_not_found=True
    )
    files = [info.path for info in arrow_filesystem().get_file_info(place)]
    return [path for path in files if path.endswith("manifest.json") and "/ahead/" in path]


@pytest.mark.timeout(600)
def test_a_search_of_a_student_and_its_pruning_goes_on_after_a_kill(
    stack: Path, tmp_path: Path
) -> None:
    del stack
    path = tmp_path / "one-space.yaml"
    path.write_text(PROJECT)
    run = [sys.executable, "-m", "flows.cli.main", "sweep", str(path), "--json"]
    kill_when(left_ahead, run, ROOT, "a student was trained", 240)
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    trials = found["searched"]["trials"]
    assert [each["number"] for each in trials] == [0, 1, 2, 3]
    assert all(each["state"] in ("complete", "pruned") and each["scores"] for each in trials)
    assert trials[0]["values"]["compress.prune.0.neurons"] == 0.5, "the project's own come first"
    assert len({each["values"]["students.0.lr"] for each in trials}) == 4
    assert "over 2 new seeds" in found["confirmed"]["sentence"]
    assert left_ahead() == []
