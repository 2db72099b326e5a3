"""What a trial is worth in each objective: when it has made all its passes, and at a rung before.

At a rung its best score so far stands in for `quality`. What an answer costs does not come with
training: it is measured of the export of the model as it begins, once, when the trial reaches its
first rung. To count parameters instead would take no time and say little: most of a text model's
are in a table that takes none of its own. A second or two is soon less than the passes that are
spared. Whoever finishes is measured again, as it was trained: no figure of a front is a guess.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from optuna.trial import Trial

from tasks.costs.meter import Used
from tasks.sweep.config import DeployedObjective, Objective
from tasks.sweep.deployed import deployed_figures
from tasks.sweep.engine import Measure
from tasks.sweep.passes import Check, num_parameters, unhindered
from tasks.sweep.runners import Runner
from tasks.sweep.workbench import Workbench

ANSWER = "cost_of_an_answer"
"""Attribute of a trial: what was measured of its model before it was trained."""


def at_the_end(bench: Workbench, objectives: Sequence[Objective], runner: Runner) -> Measure:
    """Of a trial that has made all its passes."""
    is_deployed = not set(objectives).isdisjoint(get_args(DeployedObjective))

    def measured(trial: Trial, used: Used, best: float, check: Check = unhindered) -> list[float]:
        deployed: Mapping[str, float] = {}
        if is_deployed:
            job, form = bench.job(trial.params), bench.deployment(trial.params)
            trained = runner.trained(trial.number, check)
            deployed = deployed_figures(job, trained, form, objectives, check)
        return values_of(bench, objectives, trial, used, {**deployed, "score": best})

    return measured


def at_a_rung(bench: Workbench, objectives: Sequence[Objective], runner: Runner) -> Measure:
    """Of a trial that may have passes left."""
    sought = set(objectives) & set(get_args(DeployedObjective)) - {"quality"}

    def known(trial: Trial, used: Used, best: float, check: Check = unhindered) -> list[float]:
        answer: Mapping[str, float] = trial.user_attrs.get(ANSWER, {})
        if sought and not answer:
            runner.quiet(trial.number, check)
            job, form = bench.job(trial.params), bench.deployment(trial.params)
            answer = deployed_figures(job, {}, form, sought, check)
            trial.set_user_attr(ANSWER, answer)
        return values_of(bench, objectives, trial, used, {**answer, "score": best, "quality": best})

    return known


def values_of(
    bench: Workbench,
    objectives: Sequence[Objective],
    trial: Trial,
    used: Used,
    known: Mapping[str, float],
) -> list[float]:
    """The value of each objective, of which some are `known`."""
    others: dict[str, Callable[[], float]] = {
        "parameters": lambda: float(num_parameters(bench.job(trial.params))),
        "seconds": lambda: used.cpu + used.gpu,
    }
    return [known[name] if name in known else others[name]() for name in objectives]
