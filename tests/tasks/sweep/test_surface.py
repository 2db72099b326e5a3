"""A surface goes through its trials' scores and ends where there are none."""

import numpy as np
import pytest

from tasks.sweep.surface import CELLS_G, surface_of


def test_of_equal_scores_it_is_flat_and_of_one_place_it_is_small() -> None:
    surface_YX = surface_of(np.array([0.5, 0.5]), np.array([0.5, 0.5]), np.array([2.0, 2.0]))
    assert surface_YX.shape == (len(CELLS_G), len(CELLS_G))
    assert surface_YX[20, 20] == pytest.approx(2)
    assert np.isnan(surface_YX[0, 0])
    assert np.nanstd(surface_YX) == pytest.approx(0)


def test_it_rises_with_the_second_axis_where_the_score_does() -> None:
    x_N, y_N = (axis.ravel() for axis in np.meshgrid(np.linspace(0, 1, 6), np.linspace(0, 1, 6)))
    surface_YX = surface_of(x_N, y_N, y_N)
    assert (np.diff(surface_YX[5:35, 20]) > 0).all()
    assert np.abs(np.diff(surface_YX[20, 5:35])).max() < 1e-6
