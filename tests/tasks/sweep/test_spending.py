"""What a search has used: of its budget, and over all its calls."""

from contextlib import ExitStack

import optuna
import pytest

from tasks.costs.cost import Prices
from tasks.costs.meter import Used, add, metered
from tasks.sweep.config import SweepBudget
from tasks.sweep.spending import Ledger, billed, keep_used

KILLED: list[ExitStack] = []
"""Whoever is killed leaves nothing in order."""


def call(study: optuna.Study, used: Used, is_killed: bool = False) -> Used:
    """What the step that searches is told to have used."""
    with metered() as meter:
        searching = ExitStack()
        searching.enter_context(billed(study))
        add(used)
        keep_used(study)
        if is_killed:
            add(Used(1000.0, 1000.0))  # since it was last written down
            KILLED.append(searching)
        else:
            searching.close()
    return meter.used


def test_a_search_costs_what_all_its_calls_have() -> None:
    study = optuna.create_study()
    found = [call(study, Used(cpu, 1.0)) for cpu in (500.0, 200.0, 0.0)]
    assert [used.gpu for used in found] == [1.0, 2.0, 3.0]
    assert [used.cpu for used in found] == pytest.approx([500.0, 700.0, 700.0], abs=5)
    assert found[0].cpu < found[1].cpu <= found[2].cpu


def test_a_call_that_was_killed_counts() -> None:
    study = optuna.create_study()
    call(study, Used(500.0, 1.0), is_killed=True)
    used = call(study, Used(200.0, 1.0))
    assert used.gpu == 2.0
    assert used.cpu == pytest.approx(700.0, abs=5)


def test_passes_are_set_and_figures_are_added() -> None:
    saved: list[dict[str, float]] = []
    before = {"wall": 10.0, "cpu": 20.0, "gpu": 1.0}
    ledger = Ledger(SweepBudget(), Prices(), before, saved.append, lambda: 0.0)
    for number, seconds in ((0, 1.0), (1, 2.0), (0, 4.0)):
        ledger.used(number, Used(seconds, 0.5))
    ledger.used_here(3.0)
    ledger.save()
    assert ledger.of_passes == Used(6.0, 1.0)
    assert saved == [{"wall": 10.0, "cpu": 29.0, "gpu": 2.0}]


@pytest.mark.parametrize(
    ("budget", "under_way", "left"),
    [
        ({"gpu_hours": 1.0}, Used(), -400.0),
        ({"money": 3.5}, Used(), -500.0),
        ({"cpu_hours": 1.0}, Used(), 1800.0),
        ({"cpu_hours": 1.0}, Used(600.0), 1500.0),
        ({"gpu_hours": 2.0}, Used(0.0, 200.0), 3000.0),
        ({"money": 5.0}, Used(0.0, 100.0), 900.0),
    ],
)
def test_what_is_left_to_spend(budget: dict[str, float], under_way: Used, left: float) -> None:
    """After 4,000 s of a GPU that costs 3.6 an hour, on two cores and a GPU."""
    prices = Prices(price_gpu_hour=3.6)
    ledger = Ledger(SweepBudget(**budget), prices, {"gpu": 4000.0}, lambda _: None, lambda: 0.0)
    assert ledger.left(2.0, 1.0, under_way) == pytest.approx(left)
