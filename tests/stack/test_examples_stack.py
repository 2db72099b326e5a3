"""Every shipped project on a sample, from its file to a decision.

All by one process, which imports what it needs once: that the command is one of its own is tried by
the other tests.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli.main import app, guarded

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = sorted((ROOT / "flows" / "projects").glob("*.yaml"))
pytestmark = pytest.mark.stack


@pytest.fixture(scope="module", autouse=True)
def nothing_stays() -> Iterator[None]:
    """The cluster's workers go when those who asked for them leave it."""
    yield
    import ray  # reads settings when it is imported

    ray.shutdown()


@pytest.fixture
def modelworks(
    stack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, Any]]:
    """The command's one JSON object, when it is called with these words."""
    del stack
    monkeypatch.chdir(ROOT)

    def answer(*arguments: str) -> dict[str, Any]:
        code = guarded(lambda: app([*arguments, "--json"], standalone_mode=False))
        said = capsys.readouterr()
        assert code == 0, said.err
        return dict(json.loads(said.out))

    return answer


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.stem)
def test_a_sample_of_each_shipped_project_ends_with_a_decision(
    modelworks: Callable[..., dict[str, Any]], project: Path
) -> None:
    outcome = modelworks("run", str(project), "--sample", "200")
    assert outcome["decision"]["verdict"] in ("promoted", "held"), outcome["decision"]["reason"]
    roles = {candidate["role"] for candidate in outcome["candidates"]}
    assert {"baseline", "teacher", "student", "control"} <= roles
    assert modelworks("compare", outcome["project"])["candidates"]
