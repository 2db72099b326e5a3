"""The winner again, by seeds that did not choose it: is it better, or was it lucky?"""

import math
from collections.abc import Sequence
from statistics import mean, variance

import ray

from tasks.costs.meter import answer_of, measured
from tasks.sweep.space import Values
from tasks.sweep.trial import best_score
from tasks.sweep.workbench import Workbench
from tasks.sweep_artifacts import Confirmed

FIRST_SEED = 1000
"""The seeds of a confirmation follow this one; those of trials are the project's own."""


def score_of(workbench: Workbench, values: Values, seed: int) -> float:
    """Best score of a whole training by that seed."""
    job = workbench.job(values, seed)
    return best_score(job, workbench.material(job))


def confirmed(workbench: Workbench, winner: Values, seeds: int) -> Confirmed:
    """The winner against the settings that the project has, side by side in the cluster."""
    shared = ray.put(workbench)
    task = ray.remote(num_cpus=1, max_retries=2)(measured(score_of))
    calls = [
        [task.remote(shared, values, FIRST_SEED + seed) for seed in range(seeds)]
        for values in (winner, {})
    ]
    new, old = ([float(answer_of(one)) for one in ray.get(each)] for each in calls)
    return compared(new, old, is_loss=workbench.course.choose_by == "loss")


def compared(
    winner: Sequence[float], present: Sequence[float], *, is_loss: bool = False
) -> Confirmed:
    """Means, the standard error of their difference, and a sentence; a loss is its opposite.

    The error is that of the differences seed by seed: of one seed both start from draws of the same
    generator and learn from the same rows, and what these do to the score is common to them.
    """
    sign, seeds = -1 if is_loss else 1, len(winner)
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
        sentence=f"over {seeds} new seeds {sign * mean(winner):.4f} against "
        f"{sign * mean(present):.4f}, a gain of {gain:+.4f}{error}: {verdict}",
    )
