"""What a trial holds of the cluster, and how many of them fit."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.costs.meter import Used

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Share:
    """What one trial holds of the cluster."""

    cores: float = 1.0
    gpus: float = 0.0
    workers: int = 1
    """Who train it; of many, each has a core, or a GPU, of its own."""

    def of(self, trials: int) -> tuple[float, float]:
        """Cores and GPUs of so many; where none runs, what the next will hold."""
        return self.cores * max(1, trials), self.gpus * max(1, trials)

    def held(self, seconds: float) -> Used:
        """By trials that have run for so long, all together."""
        return Used(self.cores * seconds, self.gpus * seconds)


def places(wanted: int, each: Share, resources: Mapping[str, float]) -> int:
    """How many of `wanted` trials the cluster can hold at a time; `ValueError` when none."""
    fit = wanted
    for name, kind, share in (("cores", "CPU", each.cores), ("gpus", "GPU", each.gpus)):
        there = resources.get(kind, 0.0)
        if share > there:
            asked = "workers" if each.workers > 1 else name
            raise ValueError(f"sweep.search.{asked} {share:g}: the cluster has {there:g}")
        if share:
            fit = min(fit, math.floor(there / share + 1e-9))
    if fit < wanted:
        log.warning("sweep.search.side_by_side %d: the cluster holds %d at a time", wanted, fit)
    return fit
