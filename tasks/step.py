"""What makes a function a step: a Prefect task whose answer is kept in S3 by what it depends on."""

import functools
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from prefect import Task
from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from pydantic_core import to_jsonable_python

import infra.results  # noqa: F401 (Prefect finds the type of our result storage by its import)
from infra import progress
from tasks.code_digest import code_digest
from tasks.kept_costs import costed

P = ParamSpec("P")
R = TypeVar("R")

PLAN: ContextVar[Callable[[str, str], Any] | None] = ContextVar("PLAN", default=None)
"""Set while a plan is drawn: called with a step's name and key instead of running it."""


class Ended(NamedTuple):
    """A step that has ended."""

    name: str
    key: str
    ran: bool
    """Rather than was reused."""


ENDED: ContextVar[list[Ended] | None] = ContextVar("ENDED", default=None)
"""Set by who wants to know which steps ended."""

STEPS: dict[str, Task[Any, Any]] = {}
"""Every step that was imported, by name."""


@dataclass
class StepKey(CachePolicy):
    """Same inputs, same code: same answer. A third part may read the world (a champion, a file)."""

    module: str = ""
    ignore: tuple[str, ...] = ()
    world: Callable[..., str] | None = None

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],  # noqa: ARG002 (Prefect's signature)
        **kwargs: Any,  # noqa: ARG002
    ) -> str:
        return self.key_of(task_ctx.task.name, inputs)

    def key_of(self, step: str, inputs: dict[str, Any]) -> str:
        """Return `<step>-<digest>`, the name under which the answer is stored."""
        kept = {name: value for name, value in inputs.items() if name not in self.ignore}
        seen = self.world(**inputs) if self.world else ""
        parts = json.dumps(
            [to_jsonable_python(kept), code_digest(self.module), seen], sort_keys=True
        )
        return f"{step}-{hashlib.sha256(parts.encode()).hexdigest()}"


class Step(Task[P, R]):
    """A Prefect task that says when it starts and ends, and that a plan can look up unrun."""

    if not TYPE_CHECKING:  # the types of a call stay those of Task

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            plan = PLAN.get()
            if plan is None:
                return super().__call__(*args, **kwargs)
            inputs = inspect.signature(self.fn).bind(*args, **kwargs).arguments
            return plan(self.name, self.cache_policy.key_of(self.name, inputs))


def step(
    *,
    ignore: tuple[str, ...] = (),
    key: Callable[..., str] | None = None,
    retries: int = 2,
    about: str = "",
) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Return a decorator: retried, kept as JSON, reused while inputs, code and `key(...)` hold.

    `ignore` names inputs that do not decide the answer; `about` one whose `name` is that of the
    model on which the work is spent, where the step has none to answer. A `ValueError` is never
    retried: what a person typed does not mend itself.
    """

    def decorate(function: Callable[P, R]) -> Task[P, R]:
        made: Step[P, R] = Step(
            _announced(costed(function, about)),
            name=function.__name__,
            retries=retries,
            retry_delay_seconds=5,
            retry_condition_fn=_is_worth_a_retry,
            cache_policy=StepKey(module=function.__module__, ignore=ignore, world=key),
            persist_result=True,
            result_serializer="json",
            on_completion=[_report_end],
        )
        STEPS[function.__name__] = made
        return made

    return decorate


def side_by_side(task: Task[..., R], calls: Sequence[dict[str, Any]]) -> list[R]:
    """Return the answers of `calls` (keyword arguments each), in order, run two at a time."""
    if PLAN.get() is not None:
        return [task(**call) for call in calls]
    futures = [task.submit(**call) for call in calls]
    return [future.result() for future in futures]


def aside(task: Task[..., R], *inputs: Any) -> Callable[[], R]:
    """Start a step beside those that follow; what it returns waits for the answer."""
    if PLAN.get() is not None:
        answer = task(*inputs)
        return lambda: answer
    future = task.submit(*inputs)
    return lambda: future.result()


@contextmanager
def watched() -> Iterator[list[Ended]]:
    """Fill the list with the steps that end here."""
    ended: list[Ended] = []
    token = ENDED.set(ended)
    try:
        yield ended
    finally:
        ENDED.reset(token)


def ended_steps() -> list[Ended]:
    """Return the steps that have ended since whoever called this one began to watch."""
    return list(ENDED.get() or ())


def refresh(names: Iterable[str]) -> None:
    """Make the named steps run again although their answer is kept.

    Raises `ValueError` for an unknown name.
    """
    for name in names:
        if name not in STEPS:
            raise ValueError(f"--rerun {name}: no such step; allowed: {', '.join(sorted(STEPS))}")
        STEPS[name].refresh_cache = True


def runs_anew() -> bool:
    """Return whether the step that runs now was asked to, and has not failed in this run yet."""
    running = TaskRunContext.get()
    return bool(running and running.task.refresh_cache and running.task_run.run_count <= 1)


def _announced(function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def announced(*args: P.args, **kwargs: P.kwargs) -> R:
        progress.report(function.__name__, 0, 1, "started")
        return function(*args, **kwargs)

    return announced


def _report_end(task: Any, task_run: Any, state: Any) -> None:
    """Say that a step ended, and whether it ran; a Prefect hook."""
    ran = state.name != "Cached" and task_run.start_time is not None
    if (ended := ENDED.get()) is not None:
        ended.append(Ended(task.name, state.data.metadata.storage_key, ran))
    seconds = (state.timestamp - task_run.start_time).total_seconds() if ran else 0.0
    progress.report(task.name, 1, 1, f"{'ran' if ran else 'cached'} {seconds:.2f}")


def _is_worth_a_retry(task: Any, task_run: Any, state: Any) -> bool:  # noqa: ARG001
    return not isinstance(state.result(raise_on_failure=False), ValueError)
