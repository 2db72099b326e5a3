"""Seconds of cores and GPUs that a step uses: in this process, in those it starts, in the cluster.

Steps run two at a time in one process, whose seconds nobody can tell apart (libraries have threads
of their own): they are divided evenly among the steps that were running. So the sum is right, and
each part as right as two steps of one kind are alike. What workers of the cluster used is told by
them, each second to the step that asked for it.
"""

import functools
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple, ParamSpec, TypeVar

from tasks.costs.rapl import Reading, reading, watts_of_a_core

P = ParamSpec("P")
Answer = TypeVar("Answer")


class Used(NamedTuple):
    """Seconds of busy cores, and of held GPUs."""

    cpu: float = 0.0
    gpu: float = 0.0

    def plus(self, other: "Used") -> "Used":
        """Both together."""
        return Used(self.cpu + other.cpu, self.gpu + other.gpu)

    def minus(self, other: "Used") -> "Used":
        """What is left without the other."""
        return Used(self.cpu - other.cpu, self.gpu - other.gpu)

    def times(self, count: int) -> "Used":
        """As much by each of so many."""
        return Used(self.cpu * count, self.gpu * count)


@dataclass
class Meter:
    """What one step has used so far."""

    began: Reading | None
    used: Used = field(default_factory=Used)
    watts_cpu_core: float | None = None
    """Of a busy core while the step ran, where the machine says it."""


_METER: ContextVar[Meter | None] = ContextVar("METER", default=None)
_LOCK = Lock()
_RUNNING: list[Meter] = []
_SEEN = [0.0]


@contextmanager
def metered() -> Iterator[Meter]:
    """Measure what is used in here; the meter is whole when this is over."""
    meter = Meter(reading())
    with _LOCK:
        _divide()
        _RUNNING.append(meter)
    token = _METER.set(meter)
    try:
        yield meter
    finally:
        _METER.reset(token)
        with _LOCK:
            _divide()
            _RUNNING.remove(meter)
        meter.watts_cpu_core = watts_of_a_core(meter.began, reading())


def add(used: Used) -> None:
    """Tell the step that runs here what was used for it elsewhere; nothing where none does."""
    meter = _METER.get()
    if meter is not None:
        with _LOCK:
            meter.used = meter.used.plus(used)


def used_so_far() -> Used:
    """What the step that runs here has used until now; nothing where none does."""
    meter = _METER.get()
    if meter is None:
        return Used()
    with _LOCK:
        _divide()
        return meter.used


def measured(function: Callable[P, Answer]) -> Callable[P, tuple[Answer, Used]]:
    """The function for a worker of the cluster: it answers, and says what that took."""

    @functools.wraps(function)
    def answered(*args: P.args, **kwargs: P.kwargs) -> tuple[Answer, Used]:
        watch = Stopwatch()
        return function(*args, **kwargs), watch.used

    return answered


def answer_of(told: tuple[Answer, Used]) -> Answer:
    """What a worker answered; what that took is added to the step that asked."""
    answer, used = told
    add(used)
    return answer


class Stopwatch:
    """What this process uses from now on, `before` included."""

    def __init__(self, before: Used = Used()) -> None:  # noqa: B008 - it is immutable
        self.before = before
        self._cpu, self._wall = time.process_time(), time.monotonic()

    @property
    def used(self) -> Used:
        """So far; a GPU is held by a process that computes on it."""
        held = time.monotonic() - self._wall if _computes_on_gpu() else 0.0
        return self.before.plus(Used(time.process_time() - self._cpu, held))


def _computes_on_gpu() -> bool:
    import torch  # not for who only reads what steps have cost

    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def _divide() -> None:
    """Give what this process has used since the last call to the steps that were running."""
    used = process_seconds()
    for meter in _RUNNING:
        meter.used = meter.used.plus(Used((used - _SEEN[0]) / len(_RUNNING)))
    _SEEN[0] = used


def process_seconds() -> float:
    """CPU seconds of this process, and of those that it started and that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
