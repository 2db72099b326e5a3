"""What a sweep has used of its budget, over all its processes and resumptions."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic

from tasks.costs.cost import Cost, Prices, cost_of
from tasks.sweep.config import SweepBudget

SAVE_SECONDS = 1.0
"""Spending is written down so often: a kill forgets no more."""


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
    """Adds up what is used, and says how long it lasts; `save` is told now and then."""

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
        self._cpu: dict[int, float] = {}
        self._gpu: dict[int, float] = {}

    def used(self, number: int, cpu_seconds: float, gpu_seconds: float) -> None:
        """Set what a trial has used in this process so far."""
        self._cpu[number], self._gpu[number] = cpu_seconds, gpu_seconds
        if self._clock() - self._saved >= SAVE_SECONDS:
            self.save()

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
            cpu=self.before.cpu + math.fsum(self._cpu.values()),
            gpu=self.before.gpu + math.fsum(self._gpu.values()),
        )

    def left(self, cores: float, gpus: float = 0) -> float:
        """Seconds until the budget is used, when so many cores and GPUs go on."""
        spent, budget, prices = self.spent, self.budget, self.prices
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
