"""MLflow runs of a retraining that ended without a word, or badly."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from infra import tracking
from tasks.promotion.records import RETRAIN


def close_runs(project: str, status: tracking.Status, keep: str = "") -> int:
    """Give every run of the project that claims to be alive, but `keep`, this status; how many.

    Runs of a project happen one at a time, so whoever holds its lock knows that they are dead.
    """
    alive = [
        run
        for run in tracking.find_runs(project, {tracking.ROLE: RETRAIN})
        if run.status == "RUNNING" and run.run_id != keep
    ]
    for run in alive:
        for child in tracking.find_runs(project, {tracking.PARENT: run.run_id}):
            if child.status == "RUNNING":
                tracking.end_run(child.run_id, status)
        tracking.end_run(run.run_id, status)
    return len(alive)


@contextmanager
def ended_with(run_id: str) -> Iterator[None]:
    """End the run when what is done here is over: as it came to be."""
    status: tracking.Status = "KILLED"
    try:
        yield
        status = "FINISHED"
    except Exception:
        status = "FAILED"
        raise
    finally:
        with suppress(tracking.TrackingUnreachable):
            tracking.end_run(run_id, status)


@contextmanager
def closed_on_failure(project: str) -> Iterator[None]:
    """Close the project's runs in MLflow when what is done here fails or is stopped."""
    try:
        yield
    except BaseException as error:
        # What went wrong is what a person must hear of, also when MLflow is what went wrong.
        with suppress(tracking.TrackingUnreachable):
            close_runs(project, "FAILED" if isinstance(error, Exception) else "KILLED")
        raise
