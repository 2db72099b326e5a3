"""Sound at one rate, and how loud each band of pitch is at each moment, in numpy alone.

Shapes: S steps in time, T frames, W steps of a window, F frequencies, M bands.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np

CROSSINGS = 24
"""Zero crossings of the sinc on each side."""
PASSED = 0.95
"""Of the lower rate's band, where the filter has fallen to a half."""
PIECE = 8192
"""Steps that are resampled at once; keeps memory flat."""
FAINTEST = 1e-8
"""Power of a band that counts as silence, 80 dB below full scale."""


@dataclass(frozen=True, slots=True)
class MelForm:
    """How a sound becomes bands and frames."""

    rate: int
    mels: int
    window: int
    """Steps of a frame."""
    hop: int
    """Steps from one frame to the next."""


def resampled(samples_S: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """float32 samples at the rate `wanted`, by a sinc under a Blackman window.

    Band-limited interpolation (Smith and Gossett 1984): S becomes S * wanted / rate, rounded up.
    """
    if rate == wanted:
        return samples_S.astype(np.float32)
    common = gcd(rate, wanted)
    up, down = wanted // common, rate // common
    share = PASSED * min(1.0, up / down)
    reach = int(np.ceil(CROSSINGS / share))
    padded = np.pad(samples_S.astype(np.float64), reach)
    count = -(-len(samples_S) * up // down)
    pieces = [
        _interpolated(padded, np.arange(start, min(start + PIECE, count)), (up, down), share)
        for start in range(0, count, PIECE)
    ]
    return np.asarray(np.concatenate([np.empty(0), *pieces]), dtype=np.float32)


def _interpolated(
    padded: np.ndarray, places: np.ndarray, ratio: tuple[int, int], share: float
) -> np.ndarray:
    """The values at the output places; `padded` has room for the filter on both sides."""
    up, down = ratio
    reach = int(np.ceil(CROSSINGS / share))
    whole, phase = np.divmod(places * down, up)
    phases, which = np.unique(phase, return_inverse=True)
    taps = np.arange(-reach + 1, reach + 1)
    away = taps[None, :] - phases[:, None] / up
    turn = np.pi * np.clip(away / reach, -1, 1)
    window = 0.42 + 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn)
    kernel = share * np.sinc(share * away) * window
    seen = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach)[whole + 1]
    return np.asarray(np.einsum("nk,nk->n", seen, kernel[which]))


def log_mel(samples_S: np.ndarray, form: MelForm) -> np.ndarray:
    """float32 [T, M]: the mean power of each band in each frame, as its decimal logarithm (bel).

    A sound that is shorter than one window is followed by silence.
    """
    short = max(0, form.window - len(samples_S))
    sound = np.pad(samples_S.astype(np.float32), (0, short))
    frames_TW = np.lib.stride_tricks.sliding_window_view(sound, form.window)[:: form.hop]
    shape_W, bands_FM = _tables(form)
    power_TF = np.abs(np.fft.rfft(frames_TW * shape_W, 2 * (len(bands_FM) - 1))) ** 2
    return np.asarray(np.log10(power_TF @ bands_FM + FAINTEST), dtype=np.float32)


def mel_of(hertz: np.ndarray | float) -> np.ndarray:
    """Pitch as it is heard (O'Shaughnessy 1987): 1,000 Hz are 1,000 mel."""
    return np.asarray(2595 * np.log10(1 + np.asarray(hertz) / 700))


def hertz_of(mel: np.ndarray | float) -> np.ndarray:
    """The inverse of `mel_of`."""
    return np.asarray(700 * (10 ** (np.asarray(mel) / 2595) - 1))


def mel_bands(form: MelForm, size: int) -> np.ndarray:
    """[F, M]: triangles that overlap by half, evenly spaced in mel from 0 to half the rate.

    The weights of a band sum to 1; one between two frequencies takes the nearest.
    """
    hertz_F = np.arange(size // 2 + 1) * form.rate / size
    edges = hertz_of(np.linspace(0, float(mel_of(form.rate / 2)), form.mels + 2))
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising_FM = (hertz_F[:, None] - low) / (middle - low)
    falling_FM = (high - hertz_F[:, None]) / (high - middle)
    bands_FM = np.maximum(0, np.minimum(rising_FM, falling_FM))
    empty = np.flatnonzero(bands_FM.sum(axis=0) == 0)
    nearest = np.abs(hertz_F[:, None] - middle[empty]).argmin(axis=0)
    bands_FM[nearest, empty] = 1
    return np.asarray(bands_FM / bands_FM.sum(axis=0))


@lru_cache(maxsize=8)
def _tables(form: MelForm) -> tuple[np.ndarray, np.ndarray]:
    """Hann window [W] of unit power, and the bands [F, M]."""
    size = 1 << (form.window - 1).bit_length()
    hann_W = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(form.window) / form.window)
    unit_W = hann_W / np.sqrt((hann_W**2).sum())
    return unit_W.astype(np.float32), mel_bands(form, size).astype(np.float32)
