"""The winner again, by seeds that did not choose it: is it better, or was it lucky?"""

import math
from collections.abc import Sequence
from functools import partial
from statistics import mean, variance
from typing import Any

import ray

from tasks.costs.meter import add, answer_of, measured
from tasks.sweep.shelf import Shelf
from tasks.sweep.space import Values
from tasks.sweep.trial import best_score
from tasks.sweep.workbench import Workbench, shared_material
from tasks.sweep_artifacts import Confirmed
from tasks.training.job import without_rows

FIRST_SEED = 1000
"""The seeds of a confirmation follow this one; those of trials are the project's own."""


def confirmed(workbench: Workbench, winner: Values, seeds: int) -> Confirmed:
    """The winner against the settings that the project has, side by side in the cluster.

    What trainings share is made once, by the first of them that needs it.
    """
    make: Any = ray.remote(num_cpus=1, num_returns=2, max_retries=2)(measured(shared_material))
    train = ray.remote(num_cpus=1, max_retries=2)(measured(best_score))
    materials: Shelf[tuple[Any, Any]] = Shelf()
    calls: list[list[Any]] = []
    for values in (winner, {}):
        jobs = [workbench.job(values, FIRST_SEED + seed) for seed in range(seeds)]
        shared = [materials.get(job, partial(make.remote, job)) for job in jobs]
        pairs = zip(jobs, shared, strict=True)
        calls.append([train.remote(without_rows(job), material) for job, (material, _) in pairs])
    new, old = ([float(answer_of(one)) for one in ray.get(each)] for each in calls)
    for _, used in materials.things:
        add(ray.get(used))
    return compared(new, old, is_loss=workbench.course.choose_by == "loss")


def compared(
    winner: Sequence[float], present: Sequence[float], *, is_loss: bool = False
) -> Confirmed:
    """Means, the standard error of their difference, and a sentence; a loss is its opposite.

    The error is that of the differences seed by seed: of one seed both start from draws of the same
    generator and learn from the same rows, and what these do to the score is common to them.
    """
    sign, what, seeds = -1 if is_loss else 1, "loss " if is_loss else "", len(winner)
    gains = [new - old for new, old in zip(winner, present, strict=True)]
    gain = mean(gains)
    spread = math.sqrt(variance(gains) / seeds) if seeds > 1 else math.inf
    if seeds == 1:
        verdict = "one seed cannot tell luck from skill"
    elif gain > 2 * spread:
        verdict = "the gain is more than twice its standard error: believed"
    elif gain < -2 * spread:
        verdict = "it is worse than what the project has: keep that"
    else:
        verdict = "within twice its standard error: as good as what the project has, not better"
    error = "" if seeds == 1 else f" ± {spread:.4f}"
    return Confirmed(
        winner=tuple(winner),
        present=tuple(present),
        gain=gain,
        spread=spread if seeds > 1 else 0.0,
        is_believed=gain > 2 * spread,
        sentence=f"over {seeds} new seeds {what}{sign * mean(winner):.4f} against "
        f"{sign * mean(present):.4f}, a gain of {gain:+.4f}{error}: {verdict}",
    )
