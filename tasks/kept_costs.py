"""What each step cost when it ran, kept in S3 beside its answer and under the same key.

Beside, not inside: an answer carries no clock, so that later steps stay cached when it is the same.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ParamSpec, TypeVar

from prefect.transactions import get_transaction

from infra.settings import load_settings
from infra.storage import open_storage
from tasks.costs.cost import Prices, cost_of
from tasks.costs.meter import Meter, metered
from tasks.costs.shares import StepCost, subject_of

P = ParamSpec("P")
R = TypeVar("R")
FOLDER = "costs"
_KNOWN: dict[str, StepCost] = {}
"""By key, of the steps that this process ran: they are read twice at the end of each run."""


def costed(function: Callable[P, R], about: str) -> Callable[P, R]:
    """Return `function`, which keeps what it cost when it is run as a step."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def measured(*args: P.args, **kwargs: P.kwargs) -> R:
        with metered() as meter:
            answer = function(*args, **kwargs)
        if (running := get_transaction()) is not None and running.key:
            inputs = signature.bind(*args, **kwargs).arguments
            subject = subject_of(answer, inputs, about)
            _keep(str(running.key), function.__name__, subject, meter)
        return answer

    return measured


def _keep(key: str, step: str, subject: tuple[str, str | None], meter: Meter) -> None:
    rates, watts = prices(), meter.watts_cpu_core
    if watts is not None:
        rates = replace(rates, watts_cpu_core=watts)
    found = StepCost(
        step=step,
        about=subject[0],
        parent=subject[1],
        cost=cost_of(*meter.used, rates),
        energy_by="watts" if watts is None else "rapl",
    )
    open_storage().put(f"{FOLDER}/{key}.json", found.model_dump_json().encode())
    _KNOWN[key] = found


def kept_costs(keys: Iterable[str]) -> dict[str, StepCost]:
    """Return what the steps of these keys cost, each once."""
    return {key: _KNOWN.get(key) or _stored(key) for key in dict.fromkeys(keys)}


def _stored(key: str) -> StepCost:
    return StepCost.model_validate_json(open_storage().get(f"{FOLDER}/{key}.json"))


def prices() -> Prices:
    """Return what work costs here."""
    settings = load_settings()
    return Prices(
        price_cpu_hour=settings.price_cpu_hour,
        price_gpu_hour=settings.price_gpu_hour,
        watts_cpu_core=settings.watts_cpu_core,
        watts_gpu=settings.watts_gpu,
    )
