"""The numbers of a regression as standard scores, which is how they are learned."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.splitting import SPLITS
from tasks.data.target import TARGETS

if TYPE_CHECKING:
    from tasks.data.prepare import Prepared

Scale = tuple[float, float]
"""Mean and standard deviation."""


def scale_of(prepared: "Prepared") -> Scale | None:
    """Of the training split's numbers; None where the target is a class."""
    training = np.flatnonzero(prepared.sides == SPLITS.index("train"))
    return TARGETS[prepared.config.task].scale([prepared.rows.labels[row] for row in training])


def scaled(labels: NDArray[Any], scale: Scale | None) -> NDArray[Any]:
    """Standard scores, float32; classes stay what they are."""
    if scale is None:
        return labels
    mean, deviation = scale
    return ((labels - mean) / deviation).astype(np.float32)
