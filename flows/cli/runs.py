"""`runs`, `stop`: what ran here, and how to end what runs now."""

import os
import signal
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any

import psutil
import typer
from rich.table import Table

from flows.cli.console import answer_json, out, say
from flows.cli.session import existing_home, reach
from infra.lock import holder

app = typer.Typer()
PATIENCE_SECONDS = 20.0
AGAIN = {"retrain": "run", "sweep": "sweep", "find-rate": "lr"}
"""The command that takes up a run of each flow."""


@app.command()
def runs(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What ran in this home, newest first."""
    reach(existing_home())
    from flows.runs import list_runs

    found = list_runs(limit)
    if as_json:
        answer_json({"runs": found})
    else:
        out.print(_table(found))


@app.command()
def stop(
    run: Annotated[str, typer.Argument(help="A run's id or name, or its project.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Stop a retraining or a sweep; called again it goes on from its last step, pass or trial."""
    home = existing_home()
    reach(home)
    from flows.runs import mark_cancelled

    found, pid = at_work(home, run)
    _interrupt(pid)
    mark_cancelled(found["id"])
    if as_json:
        answer_json({"stopped": found["id"], "project": found["project"]})
    else:
        again = AGAIN[found["flow"]]
        say(f"stopped {found['name']}; `modelworks {again}` goes on from where it was")


def at_work(home: Path, reference: str) -> tuple[dict[str, Any], int]:
    """Return the run that holds its project's lock among those that are meant, and its process.

    `ValueError` says whom the run waits for, or what became of it.
    """
    from flows.runs import find_run, lock_of

    def at_lock(run: dict[str, Any]) -> dict[str, str]:
        return holder(home, lock_of(run["project"], run["flow"])) or {}

    found = find_run(reference, lambda run: at_lock(run).get("id") == run["id"])
    other = at_lock(found)
    if other.get("id") == found["id"]:
        return found, int(other["pid"])
    if other and found["state"] == "Running":
        who = f"run {other['run']} (process {other['pid']})"
        raise ValueError(f"run {reference!r} is not at work: it waits for {who}")
    raise ValueError(f"run {reference!r} is not running: it is {found['state']}")


def _interrupt(pid: int) -> None:
    """Ask the process to end, and make it end when it does not."""
    os.kill(pid, signal.SIGTERM)
    deadline = monotonic() + PATIENCE_SECONDS
    while psutil.pid_exists(pid) and monotonic() < deadline:
        sleep(0.1)
    if psutil.pid_exists(pid):
        os.kill(pid, signal.SIGKILL)


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table()
    for heading in ("run", "project", "state", "started (UTC)", "seconds", "id"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left")
    for one in found:
        cells = (one["name"], one["project"], one["state"], one["started"][:19])
        table.add_row(*cells, f"{one['seconds']:.0f}", one["id"][:8])
    return table
