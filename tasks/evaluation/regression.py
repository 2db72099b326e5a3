"""Figures of predicted numbers, and how far chance moves them.

Shapes: N rows, D draws of the bootstrap.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from tasks.evaluation.intervals import Interval, resampled_intervals

Numbers = NDArray[np.floating[Any]]


def number_figures(
    found_N1: Numbers, truth_N: Numbers, classes: Sequence[str]
) -> tuple[dict[str, float], dict[str, Interval], tuple[()]]:
    """Figures keyed `r2`, `rmse`, `mae`; their 95 % intervals; no confusion, as nothing is named.

    The errors are in the target's own unit; R2 is the share of its variance that is explained.
    """
    assert not classes, f"a regression has no classes, these are {classes}"
    predicted_N = found_N1[:, 0].astype(np.float64)
    figures = {
        "r2": float(r2_score(truth_N, predicted_N)),
        "rmse": float(root_mean_squared_error(truth_N, predicted_N)),
        "mae": float(mean_absolute_error(truth_N, predicted_N)),
    }
    return figures, _intervals(truth_N, predicted_N), ()


def squared_errors(truth_N: Numbers, predicted_N: Numbers) -> NDArray[np.float64]:
    """Of each row."""
    return np.asarray((truth_N.astype(np.float64) - predicted_N) ** 2)


def explained(errors_DN: Numbers, truth_DN: Numbers) -> NDArray[np.float64]:
    """R2 of each draw, from the squared errors and the truth of its rows; 0 where all are equal."""
    spread_D = ((truth_DN - truth_DN.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    share_D = errors_DN.sum(axis=-1) / np.where(spread_D > 0, spread_D, 1.0)
    return np.asarray(np.where(spread_D > 0, 1.0 - share_D, 0.0))


def _intervals(truth_N: Numbers, predicted_N: Numbers) -> dict[str, Interval]:
    """Percentile intervals by the bootstrap over rows; none of one row."""
    squares_N = squared_errors(truth_N, predicted_N)

    def figures(squares_DN: Numbers, truth_DN: Numbers, axis: int = -1) -> NDArray[np.float64]:
        assert axis == -1, "scipy hands resamples on the last axis"
        rmse_D = np.sqrt(squares_DN.mean(axis=-1))
        mae_D = np.sqrt(squares_DN).mean(axis=-1)
        return np.stack([explained(squares_DN, truth_DN), rmse_D, mae_D])

    return resampled_intervals((squares_N, truth_N), figures, ("r2", "rmse", "mae"))
