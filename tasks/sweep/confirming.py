"""The winner again, by seeds that did not choose it: is it better, or was it lucky?

What a budget picks from a front need not be better: it was chosen for what it costs. It must not
lose more than the budget allows against what the project has, where that is within the budget, too.
"""

import logging
import math
from collections.abc import Sequence
from functools import partial
from statistics import mean, variance
from typing import Any

import ray

from tasks.costs.meter import add, answer_of, measured
from tasks.sweep.ahead import Ahead, learned
from tasks.sweep.deployed import Deployment, deployed_figures
from tasks.sweep.passes import Check, Deadline, passes, unhindered, whole
from tasks.sweep.runners import is_of_trial, trouble_of
from tasks.sweep.saving import forget
from tasks.sweep.shelf import Shelf
from tasks.sweep.space import Values
from tasks.sweep.trial import FAILED, best_score
from tasks.sweep.workbench import Workbench, shared_material
from tasks.sweep_artifacts import Confirmed, Question
from tasks.training.course import Material
from tasks.training.gradients import Diverged
from tasks.training.job import TrainingJob, without_rows
from tasks.training.memory import is_out_of_memory

log = logging.getLogger(__name__)
FIRST_SEED = 1000
"""The seeds of a confirmation follow this one; those of trials are the project's own."""
TICK_SECONDS = 0.5
"""So often is looked whether there is to be an end."""


def confirmed(
    workbench: Workbench, winner: Values, seeds: int, about: Question, check: Check = unhindered
) -> Confirmed:
    """The winner against the settings that the project has, side by side in the cluster.

    What trainings share is made once, by the first of them that needs it. Raises what `check` does,
    and ends whatever trains.
    """
    make: Any = ray.remote(num_cpus=1, num_returns=2, max_retries=2)(measured(shared_material))
    train = ray.remote(num_cpus=1, max_retries=2)(measured(worth))
    materials: Shelf[tuple[Any, Any]] = Shelf()
    sides = [
        (values, ray.put(workbench.deployment(values) if about.good == "quality" else None))
        for values in (winner, {})
    ]
    asked = [(values, FIRST_SEED + seed) for values, _ in sides for seed in range(seeds)]
    calls: dict[int, Any] = {}
    for place, job in enumerate(jobs_of(workbench, asked, check)):
        if job is not None:
            there, _ = materials.get(job, partial(make.remote, job))
            calls[place] = train.remote(without_rows(job), there, sides[place // seeds][1])
    wait_for([*calls.values()], check)
    found = {place: float(answer_of(ray.get(call))) for place, call in calls.items()}
    for _, used in materials.things:
        add(ray.get(used))
    if workbench.ahead:
        forget(workbench.ahead)
    scores = [found.get(place, FAILED) for place in range(len(asked))]
    is_loss = about.good == "score" and workbench.course.choose_by == "loss"
    return compared(scores[:seeds], scores[seeds:], is_loss=is_loss, allowed=about.allowed)


def worth(job: TrainingJob, material: Material, deployed: Deployment | None) -> float:
    """Best validation score of a training, or the quality of what is deployed of it; FAILED of one
    that came to nothing, as a trial would. A lack of memory passes: it raises."""
    try:
        if deployed is None:
            return best_score(job, material)
        trained = whole(passes(job, material, Deadline()))
        return deployed_figures(job, trained, deployed, ["quality"])["quality"]
    except Exception as error:
        if not is_of_trial(error) or is_out_of_memory(error):
            raise
        log.warning("seed %d: %s", job.course.seed, trouble_of(error))
        return FAILED


def wait_for(calls: Sequence[Any], check: Check) -> None:
    """Return when all have ended; where `check` raises, whatever has not is ended."""
    waiting = list(calls)
    try:
        while waiting:
            check()
            _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=TICK_SECONDS)
    finally:
        for call in waiting:
            ray.cancel(call, force=True)


def jobs_of(
    workbench: Workbench, asked: Sequence[tuple[Values, int]], check: Check = unhindered
) -> list[TrainingJob | None]:
    """The training of each of these values and seeds; what is to be trained ahead is, side by side.

    None: something ahead of it fell apart.
    """
    train = ray.remote(num_cpus=1, max_retries=2)(measured(learned))
    while True:
        found = [_upcoming(workbench, *each) for each in asked]
        ahead = {each.store.path: each for each in found if isinstance(each, Ahead)}
        if not ahead:
            return [each for each in found if not isinstance(each, Ahead)]
        calls = [train.remote(each) for each in ahead.values()]
        wait_for(calls, check)
        for made in ray.get(calls):
            answer_of(made)


def _upcoming(workbench: Workbench, values: Values, seed: int) -> TrainingJob | Ahead | None:
    try:
        return workbench.upcoming(values, seed)
    except Diverged:
        return None


def compared(
    winner: Sequence[float],
    present: Sequence[float],
    *,
    is_loss: bool = False,
    allowed: float | None = None,
) -> Confirmed:
    """Means, the standard error of their difference, and a sentence; a loss is its opposite.

    The error is that of the differences seed by seed: of one seed both start from draws of the same
    generator and learn from the same rows, and what these do to the score is common to them. They
    are of seeds by which neither side came to nothing, if there are any.
    """
    sign, what = -1 if is_loss else 1, "loss " if is_loss else ""
    pairs = list(zip(winner, present, strict=True))
    pairs = [each for each in pairs if min(each) > FAILED] or pairs
    gains = [new - old for new, old in pairs]
    gain = mean(gains)
    spread = math.sqrt(variance(gains) / len(gains)) if len(gains) > 1 else math.inf
    if num_failed := sum(score <= FAILED for score in winner):
        is_believed = False
        verdict = f"by {num_failed} of them it came to nothing: keep what the project has"
    elif allowed is None:
        is_believed, verdict = is_better(gain, spread)
    else:
        is_believed, verdict = is_no_worse(gain, spread, allowed)
    error = "" if spread == math.inf else f" ± {spread:.4f}"
    new, old = (sign * mean(side) for side in zip(*pairs, strict=True))
    return Confirmed(
        winner=tuple(winner),
        present=tuple(present),
        gain=gain,
        spread=0.0 if spread == math.inf else spread,
        is_believed=is_believed,
        sentence=f"over {len(winner)} new seeds {what}{new:.4f} against {old:.4f}, a gain of "
        f"{gain:+.4f}{error}: {verdict}",
    )


def is_better(gain: float, spread: float) -> tuple[bool, str]:
    """Whether a winner is believed, and why."""
    if spread == math.inf:
        return False, "one seed cannot tell luck from skill"
    if gain > 2 * spread:
        return True, "the gain is more than twice its standard error: believed"
    if gain < -2 * spread:
        return False, "it is worse than what the project has: keep that"
    return False, "within twice its standard error: as good as what the project has, not better"


def is_no_worse(gain: float, spread: float, allowed: float) -> tuple[bool, str]:
    """Whether what a budget picked is taken, and why; one seed's loss is taken at its word."""
    if allowed == math.inf:
        return True, "taken, for what the project has is not seen to be within the budget"
    if gain + allowed < (0 if spread == math.inf else -2 * spread):
        return False, (
            f"it loses more than {allowed:g}, and what the project has is within the budget, too: "
            "keep that"
        )
    return True, f"taken, for a loss of more than {allowed:g} is not seen"
