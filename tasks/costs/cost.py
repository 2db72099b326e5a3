"""What work has cost: hours of processors, energy (estimated), money.

CPU hours are those of busy cores, whoever of us kept them busy: a step's own process, those that it
starts, workers of the cluster. GPU hours are those for which a GPU was held, busy or not. Energy is
estimated: the hours times the watts of a busy core or a GPU, which is the method of Green
Algorithms (Lannelongue, Grealey and Inouye, Advanced Science 2021, doi:10.1002/advs.202100707)
without memory, cooling and the network. The watts of a core are what the machine says of itself
(`rapl.py`), or the settings' where it says nothing. Money is the hours times their prices, in
whatever currency these are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

SECONDS_PER_HOUR, WATTS_PER_KILOWATT = 3600.0, 1000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """What an hour costs and a processor draws; the settings of an installation."""

    price_cpu_hour: float = 0.0
    price_gpu_hour: float = 0.0
    watts_cpu_core: float = 12.0
    watts_gpu: float = 200.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """A sum of work; costs are added with `+`."""

    cpu_hours: float = 0.0
    """Of one core."""
    gpu_hours: float = 0.0
    energy_kwh: float = 0.0
    """Estimated."""
    money: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        sums = {
            each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)
        }
        return Cost(**sums)

    def metrics(self) -> dict[str, float]:
        """Its figures by the names that runs record them under."""
        return {f"cost/{each.name}": getattr(self, each.name) for each in fields(self)}


def cost_of(cpu_seconds: float, gpu_seconds: float, prices: Prices) -> Cost:
    """The cost of seconds of cores and of GPUs: two cores for 5 s are 10 CPU seconds."""
    assert cpu_seconds >= 0, f"{cpu_seconds} CPU seconds"
    assert gpu_seconds >= 0, f"{gpu_seconds} GPU seconds"
    cpu_hours, gpu_hours = cpu_seconds / SECONDS_PER_HOUR, gpu_seconds / SECONDS_PER_HOUR
    watt_hours = cpu_hours * prices.watts_cpu_core + gpu_hours * prices.watts_gpu
    return Cost(
        cpu_hours=cpu_hours,
        gpu_hours=gpu_hours,
        energy_kwh=watt_hours / WATTS_PER_KILOWATT,
        money=cpu_hours * prices.price_cpu_hour + gpu_hours * prices.price_gpu_hour,
    )


def total(costs: Iterable[Cost]) -> Cost:
    """All of them; nothing of none."""
    return sum(costs, Cost())
