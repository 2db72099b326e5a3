"""What `modelworks sweep` shows of its trials."""

import pytest

from flows.cli.sweep import _print
from tasks.artifacts import RunRef
from tasks.sweep.picking import Pick
from tasks.sweep_artifacts import Searched, SettingsTrial

COST = {"cost/cpu_hours": 0.0, "cost/money": 0.0}


def searched(objectives: tuple[str, ...], *values: tuple[float, ...]) -> Searched:
    trials = tuple(
        SettingsTrial(
            number=number, values={"a.x": number}, state="complete", scores=(), objectives=each
        )
        for number, each in enumerate(values)
    )
    about = {"study": "s", "metric": "valid/macro_f1", "engine": "", "ended": "", "cost": COST}
    run = RunRef(run_id="1", url="")
    found = {"objectives": objectives, "best": trials, "trials": trials, "wall_seconds": 1.0}
    return Searched(**about, **found, run=run)


def rows(said: str) -> list[str]:
    """Numbers of the trials in the table."""
    return [line.split("│")[1].strip() for line in said.splitlines() if line.startswith("│")]


def test_of_a_front_the_pick_and_how_many_more_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    found = searched(("quality", "size_mb"), *((0.5 + n / 20, 1.0 + n) for n in range(8)))
    _print(found, None, Pick(found.best[7], True, "so"))
    said = capsys.readouterr().out
    assert rows(said) == ["7", "0", "1", "2", "3"]
    assert "3 more of the front of 8" in said
    _print(found.model_copy(update={"best": found.best[:5]}), None, None)
    assert "more of the front" not in capsys.readouterr().out


def test_the_best_few_of_what_is_to_be_low_are_the_lowest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = searched(("p95_ms",), *((float(8 - n),) for n in range(8)))
    _print(found, None, None)
    assert rows(capsys.readouterr().out)[0] == "7"
