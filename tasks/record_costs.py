"""What a run has cost, in MLflow: the sum on the run, each model's own on its child."""

from collections.abc import Mapping, Sequence

from infra import tracking
from tasks.artifacts import RunRef
from tasks.costs.shares import Spending, StepCost, by_model, spending_of
from tasks.kept_costs import kept_costs, prices
from tasks.step import Ended

ENERGY = "modelworks.energy"
"""Tag: how energy was estimated."""


def record_costs(project: str, run: RunRef, steps: Sequence[Ended], model: str = "") -> Spending:
    """Write what the steps of `run` cost, now or when they ran; what `model` took in all.

    No step: what was spent now is another answer at each call.
    """
    costs = kept_costs(step.key for step in steps)
    spending = spending_of(costs, (step.key for step in steps if step.ran), model)
    tracking.log_metrics(run.run_id, spending.whole.metrics())
    tracking.set_tags(run.run_id, {ENERGY: said_of_energy(spending)})
    _record_models(project, run, costs)
    return spending


def _record_models(project: str, run: RunRef, costs: Mapping[str, StepCost]) -> None:
    children = tracking.find_runs(project, {tracking.PARENT: run.run_id})
    shares = by_model(costs.values())
    for child in children:
        figures = shares[child.name].metrics() if child.name in shares else {}
        tracking.add_metrics(child.run_id, figures, child.metrics)


def said_of_energy(spending: Spending) -> str:
    """How the energy was estimated, in a sentence."""
    rates = prices()
    ways = {
        "rapl": "a core's watts from the processors' own counters (RAPL), by share of busy time",
        "watts": f"{rates.watts_cpu_core:g} W a busy core, {rates.watts_gpu:g} W a held GPU",
    }
    return f"estimated: {'; '.join(ways[way] for way in spending.energy_by)}"
