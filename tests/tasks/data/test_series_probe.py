"""What series say about themselves: damage that leaves channels equally long, stretches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.project_file import load_project
from tasks.data.prepare import prepare_rows
from tasks.data.series_probe import MOST_PARTS, SeriesProbe, stretches
from tasks.packaging.predictor.series import SeriesRows

PROBE = SeriesProbe()
VOWELS = Path(__file__).resolve().parents[3] / "flows/projects/vowels.yaml"
Columns = dict[str, list[Any]]


@pytest.fixture(scope="module")
def vowels() -> Columns:
    """The first forty Japanese vowels: twelve channels of 7 to 29 steps."""
    prepared = prepare_rows(load_project(VOWELS).data, Path())
    return {name: values[:40] for name, values in prepared.inputs.items()}


def lengths(columns: Columns) -> list[set[int]]:
    return [{len(cell) for cell in row} for row in zip(*columns.values(), strict=True)]


def test_damage_leaves_channels_of_one_length_that_the_encoder_reads(vowels: Columns) -> None:
    encoder = SeriesRows(
        [{"name": n, "mean": 0.0, "deviation": 1.0, "missing": False} for n in vowels], {}, 100
    )
    damaged = PROBE.damaged(vowels, {}, 7)
    assert len(damaged) == 3 + len(vowels)
    for name, columns in damaged.items():
        assert columns.keys() == vowels.keys()
        assert all(len(each) == 1 for each in lengths(columns)), name
        assert len(encoder.rows(columns)) == 40
        assert columns != vowels


def test_damage_is_the_same_for_a_seed_and_leaves_the_rows(vowels: Columns) -> None:
    before = {name: [list(cell) for cell in cells] for name, cells in vowels.items()}
    first, again, other = (PROBE.damaged(vowels, {}, seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert vowels == before


def test_each_damage_does_what_its_name_says(vowels: Columns) -> None:
    damaged = PROBE.damaged(vowels, {}, 7)
    name, other = list(vowels)[:2]
    lost = damaged[f"{name} missing"]
    assert {value for cell in lost[name] for value in cell} == {None}
    assert lost[other] == vowels[other]
    steps = list(map(len, vowels[name]))
    assert list(map(len, damaged["last quarter not there"][name])) == [
        round(0.75 * length) for length in steps
    ]
    gaps = damaged["a tenth missing"]
    places = [[i for i, v in enumerate(cell) if v is None] for cell in gaps[name]]
    assert places == [[i for i, v in enumerate(cell) if v is None] for cell in gaps[other]]
    assert all(p == list(range(p[0], p[0] + len(p))) for p in places)
    assert list(map(len, places)) == [max(1, round(0.1 * length)) for length in steps]
    noise = np.concatenate([np.subtract(a, b) for a, b in zip(
        damaged["noise"][name], vowels[name], strict=True
    )])  # fmt: skip
    assert noise.std() == pytest.approx(0.1 * np.std(np.concatenate(vowels[name])), rel=0.15)


def test_missing_values_stay_missing_under_noise_and_one_step_stays() -> None:
    columns: Columns = {"a": [[1.0, None, 3.0], [5.0]]}
    damaged = PROBE.damaged(columns, {}, 7)
    assert list(damaged) == ["noise", "a tenth missing", "last quarter not there"]
    assert damaged["noise"]["a"][0][1] is None
    assert damaged["last quarter not there"]["a"] == [[1.0, None], [5.0]]
    assert damaged["a tenth missing"]["a"][1] == [5.0]


@pytest.mark.parametrize(
    ("channels", "steps", "parts"),
    [(1, 100, 8), (1, 3, 3), (12, 20, 96), (24, 50, 96), (200, 9, 67)],
)
def test_the_parts_of_a_series_are_stretches_of_its_channels(
    channels: int, steps: int, parts: int
) -> None:
    row = {f"c{k}": [float(k)] * steps for k in range(channels)}
    found = PROBE.parts(row, {})
    assert len(found) == parts <= MOST_PARTS
    covered = np.zeros((channels, steps), int)
    for (_, without), (names, where) in zip(found, stretches(row), strict=True):
        gone = np.array([[value is None for value in cell] for cell in without.values()])
        covered += gone
        assert gone.sum() == len(names) * (where.stop - where.start)
    assert covered.min() == covered.max() == 1
    assert found[0][0].startswith("c0, steps 0-" if channels < 100 else "c0 to c2, steps 0-")


def test_series_are_divided_by_length_and_by_what_is_missing() -> None:
    training: Columns = {"a": [[1.0] * n for n in (2, 4, 6)]}
    columns: Columns = {"a": [[1.0] * 20, [1.0] * 19 + [None], [1.0, None]]}
    found = PROBE.slices(columns, training, {})
    assert found["missing values"] == ["none", "up to 10 %", "over 10 %"]
    assert found["length"] == ["over 4 steps", "over 4 steps", "up to 2 steps"]
