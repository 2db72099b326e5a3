"""Where the values of a parameter stand on an axis: numbers, logarithms or names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from tasks.sweep.outcome import Outcome

TICKS = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """Of one parameter, from its lowest (0) to its highest (1) value in the finished trials."""

    name: str
    is_log: bool
    choices: tuple[Any, ...] | None
    """Of a parameter whose values are names, in the order of their names."""
    low: float
    high: float
    """Ends, as logarithms where the scale is one."""

    def places(self, trials: Sequence[FrozenTrial]) -> NDArray[np.float64]:
        """(N,) of each trial; NaN where it has no such parameter."""
        return np.array(
            [
                (self._number(trial.params[self.name]) - self.low) / (self.high - self.low)
                if self.name in trial.params
                else np.nan
                for trial in trials
            ]
        )

    def ticks(self) -> list[tuple[float, str]]:
        """Places and what is written there."""
        if self.choices is not None:
            last = max(1, len(self.choices) - 1)
            return [(index / last, str(choice)) for index, choice in enumerate(self.choices)]
        places = np.linspace(0, 1, TICKS)
        values = self.low + places * (self.high - self.low)
        return [
            (float(place), f"{10**value if self.is_log else value:.2g}")
            for place, value in zip(places, values, strict=True)
        ]

    def _number(self, value: Any) -> float:
        if self.choices is not None:
            return float(self.choices.index(value))
        return float(np.log10(value)) if self.is_log else float(value)


def scale_of(outcome: Outcome, name: str) -> Scale:
    """The scale of a parameter that has more than one value."""
    values = [trial.params[name] for trial in outcome.finished if name in trial.params]
    if outcome.is_choice(name):
        choices = tuple(sorted(set(values), key=_in_order))
        return Scale(name, False, choices, 0.0, float(max(1, len(choices) - 1)))
    is_log = outcome.is_log(name)
    numbers = np.log10(values) if is_log else np.array(values, dtype=float)
    return Scale(name, is_log, None, float(numbers.min()), float(numbers.max()))


def broken(name: str) -> str:
    """A dotted name over two lines, before its last part."""
    head, dot, tail = name.rpartition(".")
    return f"{head}{dot}\n{tail}" if dot else name


def _in_order(value: Any) -> tuple[int, float, str]:
    """Numbers by their size, then names by the alphabet."""
    is_number = isinstance(value, int | float)
    return (0 if is_number else 1, float(value) if is_number else 0.0, str(value))
