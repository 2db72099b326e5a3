"""The numbers of a regression as standard scores, which is how they are learned."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.prepare import Prepared
from tasks.data.splitting import SPLITS

Scale = tuple[float, float]
"""Mean and standard deviation."""


def scale_of(prepared: Prepared) -> Scale | None:
    """Of the training split's numbers; None where the target is a class."""
    if prepared.config.task == "classification":
        return None
    numbers = np.asarray(prepared.rows.labels)[prepared.sides == SPLITS.index("train")]
    return float(numbers.mean()), float(numbers.std()) or 1.0


def scaled(labels: NDArray[Any], scale: Scale | None) -> NDArray[Any]:
    """Standard scores, float32; classes stay what they are."""
    if scale is None:
        return labels
    mean, deviation = scale
    return ((labels - mean) / deviation).astype(np.float32)
