"""Run the retrain flow in this process, quietly, for the person who typed `run`."""

from collections.abc import Iterable

from flows.outcome import Outcome
from flows.project import Project
from flows.retrain import retrain
from infra.results import ensure_result_block
from tasks.step import refresh


def retrain_watched(project: Project, rerun: Iterable[str]) -> Outcome:
    """Return what the flow came to; its errors are raised as they were."""
    refresh(rerun)
    ensure_result_block()
    return retrain(project)
