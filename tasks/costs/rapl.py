"""What the processors of this machine draw, as they measure it themselves (Intel and AMD: RAPL).

The counters are those of whole processors, whoever keeps them busy. What they counted is divided
among busy cores alike, idle draw included: watts of a busy core. Linux lets only root read them.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

FOLDER = Path("/sys/class/powercap")
LEAST_SECONDS = 0.5
"""Of busy cores: counters move every millisecond, the kernel's clocks every ten."""
MOST_SECONDS = 600.0
"""Between two looks: a counter that starts again within them is seen to, one twice is not."""
MICRO = 1e-6
IDLE = ("idle", "iowait")


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters at one moment."""

    at: float
    joules: dict[str, float]
    """By processor."""
    most: dict[str, float]
    """Joules at which each counter starts again."""
    busy_seconds: float
    """Of all cores together, since the machine was started."""


def reading(folder: Path = FOLDER) -> Reading | None:
    """What the counters say now; None where they cannot be read."""
    try:
        places = sorted(folder.glob("intel-rapl:[0-9]*"))
        processors = [place for place in places if place.name.count(":") == 1]
        joules = {place.name: _joules(place / "energy_uj") for place in processors}
        most = {place.name: _joules(place / "max_energy_range_uj") for place in processors}
    except (OSError, ValueError):
        return None
    return Reading(time.monotonic(), joules, most, _busy_seconds()) if joules else None


def watts_of_a_core(before: Reading | None, after: Reading | None) -> float | None:
    """Watts of a busy core between two readings; None where these cannot tell."""
    if before is None or after is None or before.joules.keys() != after.joules.keys():
        return None
    busy = after.busy_seconds - before.busy_seconds
    if busy < LEAST_SECONDS or after.at - before.at > MOST_SECONDS:
        return None
    spent = [
        (after.joules[name] - before.joules[name]) % after.most[name] for name in before.joules
    ]
    return sum(spent) / busy


def _joules(file: Path) -> float:
    return int(file.read_text()) * MICRO


def _busy_seconds() -> float:
    times = psutil.cpu_times()._asdict()
    counted_twice = ("guest", "guest_nice")
    return float(sum(s for name, s in times.items() if name not in (*IDLE, *counted_twice)))
