"""What work has cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.costs.cost import Cost, Prices, cost_of, total

PRICES = Prices(price_cpu_hour=0.04, price_gpu_hour=2.5, watts_cpu_core=10, watts_gpu=300)


def test_hours_energy_and_money() -> None:
    cost = cost_of(2 * 3600, 1800, PRICES)
    assert (cost.cpu_hours, cost.gpu_hours) == (2, 0.5)
    assert cost.energy_kwh == pytest.approx((2 * 10 + 0.5 * 300) / 1000)
    assert cost.money == pytest.approx(2 * 0.04 + 0.5 * 2.5)


def test_without_prices_there_is_no_money_but_energy() -> None:
    cost = cost_of(3600, 3600, Prices())
    assert cost.money == 0
    assert cost.energy_kwh == pytest.approx(0.212)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=8))
def test_the_cost_of_all_is_the_sum_of_costs(seconds: list[tuple[float, float]]) -> None:
    parts = total(cost_of(cpu, gpu, PRICES) for cpu, gpu in seconds)
    whole = cost_of(sum(cpu for cpu, _ in seconds), sum(gpu for _, gpu in seconds), PRICES)
    assert parts.metrics() == pytest.approx(whole.metrics())


def test_nothing_added_changes_nothing() -> None:
    cost = Cost(cpu_hours=1, gpu_hours=2, energy_kwh=3, money=4)
    assert cost + Cost() == cost
    assert total([]) == Cost()


def test_figures_are_recorded_by_name() -> None:
    assert Cost(cpu_hours=1, money=4).metrics() == {
        "cost/cpu_hours": 1,
        "cost/gpu_hours": 0,
        "cost/energy_kwh": 0,
        "cost/money": 4,
    }


@pytest.mark.parametrize("seconds", [(-1, 0), (0, -1)])
def test_time_does_not_run_backwards(seconds: tuple[float, float]) -> None:
    with pytest.raises(AssertionError, match="-1"):
        cost_of(*seconds, PRICES)
