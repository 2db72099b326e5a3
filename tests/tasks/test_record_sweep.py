"""What a sweep cost over all its calls."""

import optuna
import pytest

from tasks.artifacts import RunRef
from tasks.costs.cost import Cost
from tasks.costs.shares import StepCost
from tasks.record_sweep import cost_so_far, figures_of
from tasks.sweep.picking import Pick
from tasks.sweep_artifacts import Searched, SettingsTrial

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


def searched(objectives: tuple[str, ...], *front: tuple[float, ...]) -> Searched:
    best = tuple(
        SettingsTrial(number=number, values={}, state="complete", scores=(), objectives=values)
        for number, values in enumerate(front)
    )
    about = {"study": "s", "engine": "", "ended": "", "wall_seconds": 3600.0, "cost": {}}
    names = {"metric": "valid/loss", "quality": "valid/accuracy", "objectives": objectives}
    return Searched(**about, **names, run=RunRef(run_id="1", url=""), best=best, trials=best)


def test_a_sweep_has_the_figures_of_what_it_found() -> None:
    one = figures_of(searched(("score",), (-0.25,)), None, None)
    assert one == {"trials": 1.0, "cost/wall_hours": 1.0, "valid/loss": 0.25}
    fast = figures_of(searched(("p95_ms",), (2.0,)), None, None)
    assert fast["latency/p95_ms"] == 2.0
    assert "valid/loss" not in fast


def test_a_front_has_the_figures_of_the_pick_and_its_ends() -> None:
    found = searched(("quality", "size_mb"), (0.9, 2.0), (0.8, 1.0))
    ends = {"best/valid/accuracy": 0.9, "best/size/bytes": 1e6}
    assert figures_of(found, None, None) == {"trials": 2.0, "cost/wall_hours": 1.0, **ends}
    picked = figures_of(found, Pick(found.best[1], True, "so"), None)
    assert picked.items() >= {**ends, "valid/accuracy": 0.8, "size/bytes": 1e6}.items()
