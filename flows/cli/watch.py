"""Run a flow in this process, quietly, for the person who typed its command."""

from collections.abc import Iterable
from typing import ParamSpec, TypeVar

from prefect import Flow

from flows.cli.interrupt import heed
from flows.outcome import Outcome
from flows.project import Project
from flows.retrain import retrain
from infra.results import ensure_result_block
from tasks.step import refresh

P = ParamSpec("P")
R = TypeVar("R")


def retrain_watched(project: Project, rerun: Iterable[str]) -> Outcome:
    """Return what the flow came to; its errors are raised as they were."""
    if project.searches:
        from flows import sweep  # noqa: F401 - its steps, too, may be named
    refresh(rerun)
    return called(retrain, project)


def called(flow: Flow[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what the flow came to; Ctrl-C and SIGTERM end it in the same tidy way."""
    ensure_result_block()
    return flow.with_options(on_running=[_heed_again])(*args, **kwargs)


def _heed_again(flow: object, flow_run: object, state: object) -> None:  # noqa: ARG001
    """Take SIGTERM back from Prefect; a hook of its own.

    Its `TerminationSignal` is swallowed while Ray is waited for, and the step is tried again.
    """
    heed()
