"""What Prefect knows about our runs: who ran, who died, what they said."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort, LogSort
from prefect.states import Cancelled, Crashed

from tasks.run_alone import waits

LOCKS = {"retrain": "", "sweep": "-sweep", "find-rate": "-lr"}
"""Our flows, and what a project's lock of each is called behind the project's name."""
ALIVE = FlowRunFilter(
    state=FlowRunFilterState(
        type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.CANCELLING])
    )
)


def lock_of(project: str, flow: str) -> str:
    """Return the name of the lock by which one run of `flow` at a time works on `project`."""
    return f"{project}{LOCKS[flow]}"


def project_of(run: FlowRun) -> str:
    """Return the project that a run works on."""
    return str(run.parameters.get("project", {}).get("name", ""))


def list_runs(limit: int = 20) -> list[dict[str, Any]]:
    """Return the latest runs, newest first, as plain figures."""
    with _client() as client:
        flows = {flow.id: flow.name for flow in client.read_flows(flow_filter=_named(*LOCKS))}
        runs = client.read_flow_runs(
            flow_filter=_named(*LOCKS), limit=limit, sort=FlowRunSort.START_TIME_DESC
        )
    return [{"flow": flows[run.flow_id], **_described(run)} for run in runs]


def close_dead_runs(project: str, own_id: str, flow: str = "retrain") -> int:
    """Mark runs of `flow` on `project` that claim to be alive as crashed; hold its lock meanwhile.

    A killed process cannot say that it ended; whoever holds the project's lock knows that it did,
    unless it waits for that lock.
    """
    with _client() as client:
        alive = client.read_flow_runs(flow_filter=_named(flow), flow_run_filter=ALIVE)
        others = [run for run in alive if project_of(run) == project and str(run.id) != own_id]
        dead = [run for run in others if not waits(str(run.id))]
        for run in dead:
            state: State[None] = Crashed(
                message="its process ended without a word; seen by the next run"
            )
            client.set_flow_run_state(run.id, state, force=True)
    return len(dead)


def find_run(
    reference: str, works: Callable[[dict[str, Any]], bool] = lambda _: False
) -> dict[str, Any]:
    """Return the newest run whose id, name or project is `reference`: before all others one that
    `works`, then one that runs, if only to wait for another.

    `ValueError` if none is.
    """
    found = [
        run
        for run in list_runs(limit=200)
        if reference in (run["id"], run["name"], run["project"]) or run["id"].startswith(reference)
    ]
    if not found:
        raise ValueError(f"run {reference!r}: no such run; `modelworks runs` lists them")
    running = [run for run in found if run["state"] == "Running"]
    return next((run for run in found if works(run)), (running or found)[0])


def mark_cancelled(run_id: str) -> None:
    """Record that a person stopped the run."""
    with _client() as client:
        state: State[None] = Cancelled(message="stopped by a person")
        client.set_flow_run_state(UUID(run_id), state, force=True)


def log_lines(run_id: str) -> list[str]:
    """Return the last 200 lines that the run logged, oldest first."""
    only = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[UUID(run_id)]))
    with _client() as client:
        logs = client.read_logs(log_filter=only, limit=200, sort=LogSort.TIMESTAMP_DESC)
    return [f"{log.timestamp:%Y-%m-%d %H:%M:%S} {log.message}" for log in reversed(logs)]


def _named(*flows: str) -> FlowFilter:
    return FlowFilter(name=FlowFilterName(any_=list(flows)))


def _client() -> SyncPrefectClient:
    return get_client(sync_client=True)


def _described(run: FlowRun) -> dict[str, Any]:
    end = run.end_time or datetime.now(UTC)
    started = run.start_time
    return {
        "id": str(run.id),
        "name": run.name,
        "project": project_of(run),
        "state": run.state_name or "",
        "started": started.isoformat(timespec="seconds") if started else "",
        "seconds": round((end - started).total_seconds(), 1) if started else 0.0,
    }
