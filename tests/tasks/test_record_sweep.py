"""What a sweep cost over all its calls."""

import optuna
import pytest

from tasks.costs.cost import Cost
from tasks.costs.shares import StepCost
from tasks.record_sweep import cost_so_far

RECORDING = Cost(cpu_hours=0.25, energy_kwh=0.001)


def took(step: str, cpu_hours: float) -> StepCost:
    cost = Cost(cpu_hours=cpu_hours, energy_kwh=cpu_hours / 100)
    return StepCost(step=step, about="", parent=None, cost=cost, energy_by="watts")


def test_a_further_call_adds_to_what_those_before_it_cost() -> None:
    study = optuna.create_study()
    data = {"prepare_data-1": took("prepare_data", 1.0)}
    first = data | {
        "search_settings-a": took("search_settings", 10.0),
        "confirm_settings-a": took("confirm_settings", 4.0),
    }
    assert cost_so_far(study, first, RECORDING).cpu_hours == 15.25
    assert cost_so_far(study, first, RECORDING).cpu_hours == 15.5  # all is done: drawn again
    # More trials: the search goes on from 10, another winner is trained anew.
    more = data | {
        "search_settings-b": took("search_settings", 12.0),
        "confirm_settings-b": took("confirm_settings", 4.0),
    }
    found = cost_so_far(study, more, RECORDING)
    assert found.cpu_hours == 1.0 + 12.0 + 4.0 + 4.0 + 3 * 0.25
    assert found.energy_kwh == pytest.approx(0.21 + 3 * 0.001)
