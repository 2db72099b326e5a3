"""What stands in the place of a label where there is none."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

UNLABELLED = -100
"""In the place of a class; in the place of a number stands NaN."""


def is_labelled(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows have a label: a class, or a number."""
    found = labels >= 0 if np.issubdtype(labels.dtype, np.integer) else ~np.isnan(labels)
    return np.asarray(found, dtype=np.bool_)


def absent(count: int, like: NDArray[Any]) -> NDArray[Any]:
    """Labels of so many rows that have none."""
    is_class = np.issubdtype(like.dtype, np.integer)
    return np.full(count, UNLABELLED if is_class else np.nan, like.dtype)
