"""The study asks for the same rates for the same seed."""

import pytest
from optuna.trial import TrialState

from tasks.artifacts import RateTrial
from tasks.sweep.config import SweepConfig
from tasks.sweep.range_test import suggestion_of
from tasks.sweep.search import given_rate, middle_rate, new_study, settled, widen
from tasks.sweep.trial import FAILED

INTERVAL = (2e-5, 3e-4)


@pytest.mark.parametrize(
    ("given", "expected"), [((1e-3, 1e-2), (1e-3, 1e-2)), (None, (1e-4, 1e-3))], ids=str
)
def test_rates_are_given_or_the_decade_around_the_usual_one(
    given: tuple[float, float] | None, expected: tuple[float, float]
) -> None:
    assert SweepConfig(lr=given).rates(usual=1e-4 * 10**0.5) == pytest.approx(expected)


def rates(seed: int, count: int) -> list[float]:
    study = new_study(INTERVAL, ("one_cycle",), count, seed)
    asked = []
    for _ in range(count):
        one = study.ask()
        asked.append(one.suggest_float("lr", *INTERVAL, log=True))
        study.tell(one, -abs(asked[-1] - 1e-4))
    return asked


@pytest.mark.parametrize("count", [1, 3, 6])
def test_the_same_seed_asks_for_the_same_rates(count: int) -> None:
    assert rates(7, count) == rates(7, count)
    assert all(INTERVAL[0] <= rate <= INTERVAL[1] for rate in rates(7, count))


def test_the_first_four_are_spread_and_the_sampler_follows() -> None:
    assert rates(7, 6)[:4] == rates(8, 6)[:4]
    assert rates(7, 6)[4:] != rates(8, 6)[4:]


def test_schedules_are_tried_in_turn_at_the_same_rates() -> None:
    study = new_study(INTERVAL, ("cosine", "constant"), 4, 7)
    asked = [trial.system_attrs["fixed_params"] for trial in study.get_trials()]
    assert [each["schedule"] for each in asked] == ["cosine", "constant"] * 2
    assert asked[0]["lr"] == asked[1]["lr"] < asked[2]["lr"] == asked[3]["lr"]


def test_where_the_end_has_won_more_rates_are_asked_for_beyond_it() -> None:
    study = new_study(INTERVAL, ("cosine",), 2, 7)
    tried: list[RateTrial] = []
    for score in (0.5, 0.9):
        one = study.ask()
        lr = one.suggest_float("lr", *INTERVAL, log=True)
        study.tell(one, score)
        tried.append(RateTrial(lr=lr, schedule="cosine", scores=(score,)))
    wider = widen(study, INTERVAL, tried, (1e-6, 1.0))
    assert wider == pytest.approx((INTERVAL[0], INTERVAL[1] * 9))
    asked = study.get_trials(states=[TrialState.WAITING])
    rates = [each.system_attrs["fixed_params"]["lr"] for each in asked]
    assert rates == pytest.approx([INTERVAL[1] * 3**0.5, INTERVAL[1] * 3**1.5])
    assert widen(study, wider, tried, (1e-6, 1.0)) == wider, "not before it has been tried"


def test_a_schedule_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="cosine, cosine: each schedule once"):
        SweepConfig(schedules=("cosine", "cosine"))


def test_a_range_test_that_cannot_be_read_leaves_the_sweep_to_decide() -> None:
    trials = tuple(
        RateTrial(lr=lr, schedule="cosine", scores=(score,))
        for lr, score in ((1e-5, 0.2), (1e-4, 0.9), (1e-3, FAILED))
    )
    short = ((1e-6, 0.2), (2e-6, 1e9))
    tuned = settled(trials, suggestion_of(short), short, SweepConfig(), valid_rows=600)
    assert (tuned.lr, tuned.is_trusted, tuned.suggested) == (1e-4, False, None)
    assert tuned.range_test == short
    assert "broke off" in tuned.reason


def test_rates_that_all_fell_apart_are_refused() -> None:
    trials = tuple(
        RateTrial(lr=lr, schedule="cosine", scores=(FAILED,) * 3) for lr in (1e-4, 3e-4, 1e-3)
    )
    with pytest.raises(ValueError, match=r"each of 3 rates from 1\.0e-04 to 1\.0e-03"):
        settled(trials, None, (), SweepConfig(), valid_rows=600)


def test_a_given_rate_needs_no_search() -> None:
    tuned = given_rate(5e-5)
    assert (tuned.lr, tuned.trials) == (5e-5, ())
    assert tuned.reason == "given, by the project file or a sweep's winner"


def test_too_few_rows_take_the_middle_of_what_is_allowed() -> None:
    tuned = middle_rate((1e-5, 1e-3), rows=60)
    assert tuned.lr == pytest.approx(1e-4)
    assert "60 rows are too few" in tuned.reason
