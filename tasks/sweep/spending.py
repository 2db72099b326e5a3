"""What a sweep has used: of its budget, and in all, over its processes and resumptions."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic

import optuna

from tasks.costs.cost import Cost, Prices, cost_of
from tasks.costs.meter import Used, add, used_so_far
from tasks.sweep.config import SweepBudget

SAVE_SECONDS = 1.0
"""Spending is written down so often: a kill forgets no more, and the pass that it was in."""
NOTHING = Used()
USED = "used"
"""CPU and GPU seconds of all calls of a search: trials, and what is done around them."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used, in seconds."""

    wall: float = 0.0
    cpu: float = 0.0
    gpu: float = 0.0

    def cost(self, prices: Prices) -> Cost:
        """What that comes to."""
        return cost_of(self.cpu, self.gpu, prices)


class Ledger:
    """Adds up what trials use, and says how long it lasts; `save` is told now and then."""

    def __init__(
        self,
        budget: SweepBudget,
        prices: Prices,
        before: Mapping[str, float],
        save: Callable[[dict[str, float]], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.budget, self.prices, self.before = budget, prices, Spent(**before)
        self._save, self._clock = save, clock
        self._began = self._saved = clock()
        self._passes: dict[int, Used] = {}
        self.of_passes, self._here = Used(), 0.0
        """Used by the passes of all trials in this process's time; by this process for them."""

    def used(self, number: int, used: Used) -> None:
        """Set what the passes of a trial have used in this process's time."""
        fresh = used.minus(self._passes.get(number, Used()))
        self.of_passes, self._passes[number] = self.of_passes.plus(fresh), used

    def used_here(self, cpu_seconds: float) -> None:
        """Add what this process has used for a trial."""
        self._here += cpu_seconds

    @property
    def is_due(self) -> bool:
        """Whether spending was last written down a while ago."""
        return self._clock() - self._saved >= SAVE_SECONDS

    def save(self) -> None:
        """Write down what was spent."""
        now = self.spent
        self._saved = self._clock()
        self._save({"wall": now.wall, "cpu": now.cpu, "gpu": now.gpu})

    @property
    def spent(self) -> Spent:
        """In all."""
        return replace(
            self.before,
            wall=self.before.wall + self._clock() - self._began,
            cpu=self.before.cpu + self.of_passes.cpu + self._here,
            gpu=self.before.gpu + self.of_passes.gpu,
        )

    def left(self, cores: float, gpus: float = 0, under_way: Used = NOTHING) -> float:
        """Seconds until the budget is used, when so many cores and GPUs go on.

        `under_way` is used already, and not reported yet.
        """
        budget, prices, spent = self.budget, self.prices, self.spent
        spent = replace(spent, cpu=spent.cpu + under_way.cpu, gpu=spent.gpu + under_way.gpu)
        left = math.inf
        if budget.minutes is not None:
            left = min(left, budget.minutes * 60 - spent.wall)
        if budget.cpu_hours is not None:
            left = min(left, (budget.cpu_hours * 3600 - spent.cpu) / cores)
        if budget.gpu_hours is not None and gpus:
            left = min(left, (budget.gpu_hours * 3600 - spent.gpu) / gpus)
        rate = (cores * prices.price_cpu_hour + gpus * prices.price_gpu_hour) / 3600
        if budget.money is not None and rate > 0:
            left = min(left, (budget.money - spent.cost(prices).money) / rate)
        return left


@contextmanager
def billed(study: optuna.Study) -> Iterator[None]:
    """The step that searches in here has used what its earlier calls for this study have, too.

    Those that were killed included: the study keeps it.
    """
    add(Used(*study.user_attrs.get(USED, Used())))
    try:
        yield
    finally:
        keep_used(study)


def keep_used(study: optuna.Study) -> None:
    """Write down what the step that searches has used until now."""
    study.set_user_attr(USED, list(used_so_far()))
