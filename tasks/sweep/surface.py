"""A score over two parameters, from trials that lie anywhere."""

import numpy as np
from numpy.typing import NDArray

WIDTH = 0.12
"""How far a trial's score reaches, as a share of the axis."""
FAINT = 0.05
"""Where the trials weigh less than this there is no surface."""
CELLS_G = np.linspace(-0.06, 1.06, 40)
"""Places of the grid along either axis, which goes from 0 to 1."""


def surface_of(
    x_N: NDArray[np.float64], y_N: NDArray[np.float64], scores_N: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(G, G) Gaussian-weighted mean of the scores (Nadaraya and Watson), NaN far from any trial.

    As big for a thousand trials as for ten.
    """
    across_GN = np.exp(-0.5 * ((CELLS_G[:, None] - x_N) / WIDTH) ** 2)
    upwards_GN = np.exp(-0.5 * ((CELLS_G[:, None] - y_N) / WIDTH) ** 2)
    weights_YX = upwards_GN @ across_GN.T
    sums_YX = (upwards_GN * scores_N) @ across_GN.T
    return np.where(weights_YX > FAINT, sums_YX / np.maximum(weights_YX, FAINT), np.nan)
