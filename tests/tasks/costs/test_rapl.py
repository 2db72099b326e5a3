"""Watts of a core from counters in a folder like the kernel's."""

from pathlib import Path

import pytest

from tasks.costs.rapl import Reading, reading, watts_of_a_core

MOST = 262_143_328_850


def written(folder: Path, **microjoules: int) -> Path:
    for name, count in microjoules.items():
        place = folder / name.replace("_", ":")
        place.mkdir(exist_ok=True)
        (place / "energy_uj").write_text(f"{count}\n")
        (place / "max_energy_range_uj").write_text(f"{MOST}\n")
    return folder


def at(seconds: float, joules: dict[str, float], busy: float) -> Reading:
    return Reading(seconds, joules, dict.fromkeys(joules, MOST / 1e6), busy)


def test_whole_processors_are_read_and_not_their_parts(tmp_path: Path) -> None:
    folder = written(
        tmp_path, **{"intel-rapl_0": 5_000_000, "intel-rapl_0_0": 1, "intel-rapl_1": 0}
    )
    found = reading(folder)
    assert found is not None
    assert found.joules == {"intel-rapl:0": 5.0, "intel-rapl:1": 0.0}
    assert found.most["intel-rapl:0"] == pytest.approx(MOST / 1e6)
    assert found.busy_seconds > 0


def test_a_machine_without_counters_says_nothing(tmp_path: Path) -> None:
    assert reading(tmp_path) is None
    assert reading(tmp_path / "absent") is None
    assert watts_of_a_core(None, at(0, {"a": 1}, 1)) is None


def test_a_counter_that_is_not_readable_says_nothing(tmp_path: Path) -> None:
    written(tmp_path, **{"intel-rapl_0": 1})
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    assert reading(tmp_path) is None


def test_energy_is_divided_among_busy_seconds() -> None:
    before, after = at(0, {"a": 100, "b": 50}, 40), at(10, {"a": 160, "b": 110}, 48)
    assert watts_of_a_core(before, after) == pytest.approx(120 / 8)


def test_a_counter_that_started_again_is_seen_to() -> None:
    before, after = at(0, {"a": MOST / 1e6 - 10}, 0), at(1, {"a": 20}, 2)
    assert watts_of_a_core(before, after) == pytest.approx(15)


@pytest.mark.parametrize(
    "after",
    [at(1, {"a": 5}, 0.1), at(5000, {"a": 5}, 900), at(1, {"b": 5}, 9)],
    ids=["too-short", "too-long", "another-processor"],
)
def test_what_cannot_tell_says_nothing(after: Reading) -> None:
    assert watts_of_a_core(at(0, {"a": 0}, 0), after) is None
