"""What pictures say about themselves: damage that leaves them pictures, windows, heat."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tasks.data.image_probe import CHANGES, ImageProbe, heat_of, windows
from tasks.packaging.predictor.image import ImageRows, cell_of, stored_pixels

PROBE = ImageProbe()


def colour(side: int) -> np.ndarray:
    """A picture of chance, light on the left."""
    random = np.random.default_rng(side)
    pixels = random.integers(0, 120, (side, side, 3))
    pixels[:, : side // 2] += 100
    return pixels.astype(np.uint8)


@pytest.fixture(scope="module")
def pictures() -> dict[str, dict[str, list[str]]]:
    digits = (load_digits().images[:20] * 15).astype(np.uint8)
    return {
        "grey": {"pixels": [cell_of(pixels) for pixels in digits]},
        "colour": {"pixels": [cell_of(colour(side)) for side in (8, 33, 64)]},
    }


@pytest.mark.parametrize("which", ["grey", "colour"])
def test_every_damage_changes_every_picture_and_leaves_its_shape(
    pictures: dict[str, Any], which: str
) -> None:
    columns = pictures[which]
    before = [stored_pixels(cell) for cell in columns["pixels"]]
    damaged = PROBE.damaged(columns, {}, 7)
    assert damaged.keys() == CHANGES.keys()
    for made in damaged.values():
        after = [stored_pixels(cell) for cell in made["pixels"]]
        assert [x.shape for x in after] == [x.shape for x in before]
        assert {x.dtype for x in after} == {np.dtype(np.uint8)}
        assert all((a != b).any() for a, b in zip(after, before, strict=True))
    assert columns["pixels"] == [cell_of(pixels) for pixels in before], "left as they were"


def test_damage_is_the_same_for_a_seed_and_for_a_row_whatever_its_neighbours(
    pictures: dict[str, Any],
) -> None:
    columns = pictures["colour"]
    first, again, other = (PROBE.damaged(columns, {}, seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    alone = PROBE.damaged({"pixels": columns["pixels"][:1]}, {}, 7)
    assert {n: c["pixels"] for n, c in alone.items()} == {
        n: c["pixels"][:1] for n, c in first.items()
    }


def test_each_damage_does_what_its_name_says() -> None:
    pixels = colour(40)
    made = {
        name: stored_pixels(columns["pixels"][0]).astype(float)
        for name, columns in PROBE.damaged({"pixels": [cell_of(pixels)]}, {}, 7).items()
    }
    assert made["darker"].mean() < pixels.mean() < made["lighter"].mean()
    assert made["less contrast"].std() == pytest.approx(pixels.std() / 2, rel=0.02)
    assert np.abs(np.diff(made["blur"], axis=1)).mean() < np.abs(np.diff(pixels / 1, axis=1)).mean()
    assert (made["noise"] - pixels).std() == pytest.approx(20, rel=0.1)
    moved = made["shifted by a tenth"]
    assert any(
        np.array_equal(np.roll(pixels, step, axis)[5:-5, 5:-5], moved[5:-5, 5:-5])
        for step in (-4, 4)
        for axis in (0, 1)
    )


@pytest.mark.parametrize(("height", "width"), [(8, 8), (28, 28), (33, 64), (8, 512)])
def test_windows_cover_every_pixel_and_the_heat_is_the_mean_effect(height: int, width: int) -> None:
    places = windows(height, width)
    assert len(places) == 49
    covered = np.zeros((height, width), int)
    for place in places:
        covered[place] += 1
    assert covered.min() >= 1
    assert covered.max() == 4
    np.testing.assert_allclose(heat_of([0.3] * len(places), height, width), 0.3)
    alone = heat_of([1.0, *[0.0] * 48], height, width)
    assert alone[0, 0] == 1
    assert alone[places[0]].min() > 0
    assert alone.sum() == alone[places[0]].sum()


def test_a_part_is_covered_in_its_window_alone() -> None:
    pixels = colour(32)
    parts = PROBE.parts({"pixels": cell_of(pixels)}, {})
    assert parts[0][0] == "lines 0-7, columns 0-7"
    for (_, row), place in zip(parts, windows(32, 32), strict=True):
        changed = (stored_pixels(row["pixels"]) != pixels).any(axis=2)
        outside = np.ones((32, 32), bool)
        outside[place] = False
        assert changed[place].any()
        assert not changed[outside].any()


def test_pictures_are_divided_by_how_light_and_how_plain_they_are() -> None:
    plain = [cell_of(np.full((8, 8), grey, np.uint8)) for grey in (10, 120, 250)]
    found = PROBE.slices({"pixels": plain}, {"pixels": plain}, {})
    assert found["brightness"] == ["up to 10 of 255", "over 10 to 120 of 255", "over 120 of 255"]
    assert len(set(found["contrast"])) == 1


def test_damaged_pictures_are_read_like_any_other(pictures: dict[str, Any]) -> None:
    rows = ImageRows("pixels", (8, 1), [100.0], [50.0])
    for columns in PROBE.damaged(pictures["grey"], {}, 7).values():
        assert rows.rows(columns).shape == (20, 1, 8, 8)
