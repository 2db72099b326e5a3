"""Whose cost is it? What each step cost, added up for a run, for a model, for all it came from."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from tasks.artifacts import Artifact, Candidate, TrainedModel
from tasks.costs.cost import Cost, total

SHARED = ("prepare_data", "gather_rows", "search_settings", "confirm_settings")
"""Steps about no model in particular that a model would not be there without."""
AFTERWARDS = ("promote_model",)
"""Steps about a model that is made and measured."""


class StepCost(Artifact):
    """What one step cost when it ran."""

    step: str
    about: str
    """Name of the model that it made, or looked at; empty where it was about none, or several."""
    parent: str | None
    """Of that model."""
    cost: Cost
    energy_by: Literal["rapl", "watts"]
    """Whether the machine said what a core draws, or the settings."""


class Spending(Artifact):
    """What a run cost."""

    whole: Cost
    """Of all its steps, whenever they ran."""
    now: Cost
    """Of those that ran now, and were not kept from an earlier run."""
    model: Cost
    """Of the chosen model: what made it, its teacher and what that was asked, the data, a search
    for settings; each step once."""
    energy_by: tuple[str, ...]
    """How energy was estimated: `rapl`, `watts`."""


def subject_of(answer: Any, inputs: Mapping[str, Any], about: str) -> tuple[str, str | None]:
    """Name of the model that a step is about, and its parent's.

    The one that it answers, else the one that it is given, else the input `about`. Several of one
    name, teachers by other seeds, are one.
    """
    for value in (answer, *inputs.values()):
        models = value if isinstance(value, list | tuple) else [value]
        if all(isinstance(model, TrainedModel | Candidate) for model in models):
            found = {(model.name, model.parent) for model in models}
            if len(found) == 1:
                return found.pop()
    return (inputs[about].name if about else ""), None


def by_model(costs: Iterable[StepCost]) -> dict[str, Cost]:
    """What was spent on each model, by name."""
    found: dict[str, Cost] = {}
    for each in costs:
        if each.about:
            found[each.about] = found.get(each.about, Cost()) + each.cost
    return found


def cost_of_model(name: str, costs: Iterable[StepCost]) -> Cost:
    """What it took to have that model: its own steps, those of all it came from, shared ones."""
    costs = list(costs)
    parents = {each.about: each.parent for each in costs if each.parent is not None}
    family = {name}
    while name in parents and parents[name] not in family:
        name = str(parents[name])
        family.add(name)
    made = (each for each in costs if each.step not in AFTERWARDS)
    return total(each.cost for each in made if each.about in family or each.step in SHARED)


def spending_of(costs: Mapping[str, StepCost], ran: Iterable[str], model: str) -> Spending:
    """Add up `costs`, by the keys of their steps, of which those of `ran` ran now."""
    now = set(ran)
    return Spending(
        whole=total(each.cost for each in costs.values()),
        now=total(each.cost for key, each in costs.items() if key in now),
        model=cost_of_model(model, costs.values()),
        energy_by=tuple(sorted({each.energy_by for each in costs.values()})),
    )


def told(cost: Cost) -> str:
    """`12 CPU s, 0.04 Wh`: what there is of it, in units that a person can read."""
    parts = [_hours(cost.cpu_hours, "CPU")]
    if cost.gpu_hours:
        parts.append(_hours(cost.gpu_hours, "GPU"))
    parts.append(f"{cost.energy_kwh * 1000:.3g} Wh")
    if cost.money:
        parts.append(f"money {cost.money:.4g}")
    return ", ".join(parts)


def _hours(hours: float, kind: str) -> str:
    return f"{hours:.2f} {kind} h" if hours >= 1 else f"{hours * 3600:.0f} {kind} s"
