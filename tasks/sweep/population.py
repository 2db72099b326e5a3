"""Population based training (arXiv:1711.09846): members learn side by side, and after each
generation the worst go on from the weights of the best, with settings that are a little different.

A trial is what one member learns in one generation, from the checkpoint of the trial that it goes
on from: so the journal, MLflow, costs, tags and kills are those of any other trial. Generations
wait for one another, where the paper's members do not: which trial goes on from which then depends
on scores alone, and not on who was faster. The values of a trial are those of its generation, and
the best trial has a line of ancestors, each with its own: what was found is a schedule, of which a
confirmation, or a retraining, takes the last values.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.trial import FrozenTrial

from tasks.sweep.config import SearchConfig
from tasks.sweep.space import Dimension, Space, Values

AFTER = "after_trial"
"""Attribute of a trial: the number of the one whose weights it goes on from."""
TRUNCATED = 0.25
"""So many of the worst are replaced by so many of the best (section 4, truncation selection)."""
RESAMPLED = 0.25
"""How often a setting is drawn anew instead of being changed a little."""
FACTORS = (0.8, 1.2)


@dataclass(frozen=True, slots=True)
class Leg:
    """Which passes of a training a trial makes."""

    after: int | None
    """The trial that made those before; None: the first ones."""
    start: int
    """Passes before it."""
    end: int
    """Passes when it is over."""
    outdated: tuple[int, ...]
    """Trials from which nobody will go on any more."""


def leg_of(search: SearchConfig, passes: int, number: int, after: int | None) -> Leg:
    """The leg of the trial of that number; `passes` are those of a whole training."""
    size, each = search.population, search.generation_passes
    generation = number // size
    is_first = generation > 1 and number % size == 0
    last = (generation - 2) * size
    return Leg(
        after=after,
        start=generation * each,
        end=min(passes, (generation + 1) * each),
        outdated=tuple(range(last, last + size)) if is_first else (),
    )


def num_trials(search: SearchConfig, passes: int) -> int:
    """Trials of a whole population."""
    return search.population * math.ceil(passes / search.generation_passes)


def may_begin(trials: Sequence[FrozenTrial], search: SearchConfig, passes: int) -> bool:
    """Whether the next trial has one to go on from: all of the generation before have ended."""
    begun = [trial for trial in trials if trial.state.name != "WAITING"]
    if len(begun) >= num_trials(search, passes):
        return False
    before = len(begun) // search.population * search.population
    return all(trial.state.is_finished() for trial in begun[:before])


def offspring(
    trials: Sequence[FrozenTrial], search: SearchConfig, space: Space, number: int
) -> tuple[int, Values]:
    """Which trial that of this number goes on from, and with which values."""
    size = search.population
    first = (number // size - 1) * size
    ranked = sorted(trials[first : first + size], key=lambda each: (-_last(each), each.number))
    own = trials[number - size]
    count = max(1, math.floor(TRUNCATED * size))
    if own not in ranked[-count:] and _last(own) > -math.inf:
        return own.number, own.params
    random = np.random.default_rng((search.seed, number))
    best = ranked[int(random.integers(count))]
    return best.number, explored(best.params, space, random)


def explored(values: Values, space: Space, random: np.random.Generator) -> Values:
    """The values, each changed by a fifth or drawn anew."""
    return {
        name: _drawn(space[name], random)
        if random.random() < RESAMPLED
        else _changed(space[name], value, random)
        for name, value in values.items()
    }


def _last(trial: FrozenTrial) -> float:
    """Its score after its last pass; one that fell apart is the worst."""
    found = trial.intermediate_values
    return found[max(found)] if found and trial.state.name == "COMPLETE" else -math.inf


def _changed(dimension: Dimension, value: object, random: np.random.Generator) -> object:
    ends = dimension.log or dimension.linear or dimension.integer
    if ends is None:
        return value
    assert isinstance(value, int | float), "an interval holds numbers"
    changed = min(max(value * FACTORS[int(random.integers(2))], ends[0]), ends[1])
    return round(changed) if dimension.integer else changed


def _drawn(dimension: Dimension, random: np.random.Generator) -> object:
    if dimension.choice:
        return dimension.choice[int(random.integers(len(dimension.choice)))]
    if dimension.integer:
        low, high = dimension.integer
        return int(random.integers(low, high + 1))
    if dimension.log:
        return float(np.exp(random.uniform(*np.log(dimension.log))))
    assert dimension.linear is not None, "the validator has seen to it"
    return float(random.uniform(*dimension.linear))
