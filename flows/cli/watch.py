"""Run the retrain flow in this process, quietly, for the person who typed `run`."""

from collections.abc import Iterable

from flows.cli.interrupt import heed
from flows.outcome import Outcome
from flows.project import Project
from flows.retrain import retrain
from infra.results import ensure_result_block
from tasks.step import refresh


def retrain_watched(project: Project, rerun: Iterable[str]) -> Outcome:
    """Return what the flow came to; its errors are raised as they were."""
    refresh(rerun)
    ensure_result_block()
    return retrain.with_options(on_running=[_heed_again])(project)


def _heed_again(flow: object, flow_run: object, state: object) -> None:  # noqa: ARG001
    """Take SIGTERM back from Prefect; a hook of its own.

    Its `TerminationSignal` is swallowed while Ray is waited for, and the step is tried again.
    """
    heed()
