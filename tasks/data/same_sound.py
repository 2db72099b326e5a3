"""Which sounds are one recording: copies at another level, rate or width of samples.

Shapes: N sounds, P parts in time, M bands, F frequencies.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.data.table import Ids
from tasks.packaging.predictor.mel import FAINTEST, MelForm, mel_bands

PARTS, BANDS = 16, 8
"""Of the thumbnail of a sound: equal parts of its time, bands up to a quarter of its rate."""
DEEPEST = 3.0
"""Bels below the loudest cell of a thumbnail, where noise of another width begins."""
SAME_BEL = 0.2
"""Largest difference of a cell in the thumbnails of two sounds that count as one."""
SAME_LENGTH = 0.01
"""Largest difference of their lengths, as a share."""
Sound = tuple[NDArray[np.int16], int]


def same_sounds(sounds: Sequence[Sound]) -> Ids:
    """A group number for each sound, which is samples and their rate.

    Compared are those whose loudness rises and falls alike in one band at least.
    """
    made = [thumbnail(*sound) for sound in sounds]
    thumbnails_NPM = np.array(made).reshape(-1, PARTS, BANDS)
    seconds_N = np.array([len(samples) / rate for samples, rate in sounds])
    rises_NPM = np.diff(thumbnails_NPM, axis=1) > 0
    groups = np.arange(len(sounds))
    seen: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for row in range(len(sounds)):
        for band in range(BANDS):
            others = seen[band, rises_NPM[row, :, band].tobytes()]
            for other in _alike(row, np.array(others, dtype=int), thumbnails_NPM, seconds_N):
                groups[groups == groups[row]] = groups[other]
            others.append(row)
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def thumbnail(samples: NDArray[np.int16], rate: int) -> NDArray[np.float64]:
    """[P, M]: bels of each part and band, 0 at the loudest."""
    length = -(-len(samples) // PARTS)
    size = max(64, 1 << (length - 1).bit_length())
    padded = np.pad(samples.astype(np.float64), (0, PARTS * length - len(samples)))
    power_PF = np.abs(np.fft.rfft(padded.reshape(PARTS, length), size)) ** 2
    bands_FM = mel_bands(MelForm(rate // 2, BANDS, 0, 0), size // 2)
    bels_PM = np.log10(power_PF[:, : len(bands_FM)] @ bands_FM + FAINTEST)
    return np.asarray(np.maximum(bels_PM - bels_PM.max(), -DEEPEST))


def _alike(
    row: int, others: Ids, thumbnails_NPM: NDArray[np.float64], seconds_N: NDArray[np.float64]
) -> Ids:
    """Those of the other rows that are the same sound."""
    if not len(others):
        return others
    away = np.abs(thumbnails_NPM[others] - thumbnails_NPM[row]).max(axis=(1, 2))
    longer = np.abs(seconds_N[others] - seconds_N[row]) / seconds_N[row]
    found: Ids = others[(away <= SAME_BEL) & (longer <= SAME_LENGTH)]
    return found
