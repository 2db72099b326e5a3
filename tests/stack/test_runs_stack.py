"""Which runs that claim to be alive are dead: asked of the real Prefect, with real processes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
WAITS = """
import sys
from pathlib import Path
from infra.lock import alone
home, project, name = sys.argv[1:]
with alone(Path(home), project, {"run": name, "id": name}, lambda _: print("waits", flush=True)):
    pass
"""


def begun(project: str) -> str:
    """The id of a run that Prefect takes to be running."""
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    @flow(name="retrain")
    def retrain(project: dict[str, str]) -> None: ...

    with get_client(sync_client=True) as client:
        parameters = {"project": {"name": project}}
        return str(client.create_flow_run(retrain, parameters=parameters, state=Running()).id)


@contextmanager
def waiting(home: Path, project: str, run_id: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the run that waits for its project."""
    command = [sys.executable, "-c", WAITS, str(home), project, run_id]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_those_that_wait_are_not_closed(stack: Path) -> None:
    from flows.runs import close_dead_runs, list_runs
    from infra.lock import alone

    project = f"waits-{uuid4().hex[:8]}"
    works, waits, killed, dead = (begun(project) for _ in range(4))
    with ExitStack() as until:
        until.enter_context(alone(stack, project, {"run": works, "id": works}, print))
        until.enter_context(waiting(stack, project, waits))
        process = until.enter_context(waiting(stack, project, killed))
        process.kill()
        process.wait()
        assert close_dead_runs(project, works) == 2
        states = {run["id"]: run["state"] for run in list_runs() if run["project"] == project}
    assert states == {works: "Running", waits: "Running", killed: "Crashed", dead: "Crashed"}
