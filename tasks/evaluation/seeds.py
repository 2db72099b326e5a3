"""A difference between two ways of training, told from what a seed does to either."""

from collections.abc import Sequence

import numpy as np

from tasks.evaluation.intervals import estimated_mean
from tasks.quality_artifacts import SeedGain


def gain_over_seeds(
    name: str, metric: str, taught: Sequence[float], alone: Sequence[float]
) -> SeedGain:
    """What the teacher adds to the metric, with the 95 % interval of its mean over seeds.

    By Student's t of the differences seed by seed: a student and its control of one seed start from
    the same weights and see the same batches. Raises ValueError below two seeds.
    """
    differences = np.subtract(taught, alone, dtype=np.float64)
    gain = estimated_mean(differences)
    if gain is None:
        raise ValueError(f"{name}: {len(differences)} seed tells no interval, at least 2 do")
    return SeedGain(name=name, metric=metric, taught=tuple(taught), alone=tuple(alone), gain=gain)
