"""Encoder of sounds: a WAV file as a path, as bytes or in base64, or samples and their rate.

A sound is cut to the longest that the network was taught, its channels are averaged, its rate is
made the common one, and each sample is kept in 16 bits, as in our own snapshots, so that a row of
those and the file that it came from have one and the same answer.
"""

import base64
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .content import bytes_of, short
from .mel import MelForm, log_mel, resampled
from .wav import (
    HEADER_BYTES,
    MOST_CHANNELS,
    RATE_AT,
    Sound,
    check_rate,
    check_samples,
    read_wav,
    wav_bytes,
)

SUFFIXES = (".wav", ".wave")
FORMS = (
    f"a path ({', '.join(SUFFIXES)}), the bytes of such a file, its base64, or "
    "{rate: 16000, samples: [...]}"
)
MOST_BYTES = 256 << 20
"""Of one file."""
FULL = 32768
"""Of samples of 16 bits: what a full scale of 1 becomes."""


class AudioRows:
    """Sounds as `mels` float32 [rows, frames, bands], bels from the mean of the training rows, and
    `mask` float32 [rows, frames]."""

    names: tuple[str, ...] = ("mels", "mask")
    batch_rows = 1
    """Matrix products of other sizes round otherwise: alone, a row's answer is the same to the bit
    whoever else is asked."""
    ragged_axes: tuple[int, ...] = (1,)
    suffixes: tuple[str, ...] = SUFFIXES
    """A cell that ends so names a file."""

    def __init__(self, column: str, form: MelForm, longest: float, mean: float) -> None:
        self.column = column
        self._form, self._longest, self._mean = form, longest, np.float32(mean)

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "AudioRows":
        """From the configuration alone; no file is read from `folder`."""
        del folder
        return cls(config["column"], mel_form(config), config["seconds"], config["mean"])

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> list[np.ndarray]:
        """float32 [frames, bands] of each row; ValueError names the first row without a sound."""
        if self.column not in columns:
            found = ", ".join(map(str, columns))
            raise ValueError(f"column {self.column!r} is missing; found {found}")
        return [self._row(row, cell) for row, cell in enumerate(columns[self.column])]

    def length(self, row: np.ndarray) -> int:
        """Frames of one row."""
        return len(row)

    def batch(self, rows: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Padded with zeros behind the last frame; the mask is 1 where a frame stands."""
        frames = max(map(len, rows))
        mels = np.zeros((len(rows), frames, self._form.mels), np.float32)
        mask = np.zeros((len(rows), frames), np.float32)
        for index, row in enumerate(rows):
            mels[index, : len(row)] = row
            mask[index, : len(row)] = 1
        return {"mels": mels, "mask": mask}

    def _row(self, row: int, cell: Any) -> np.ndarray:
        try:
            samples = samples_of(cell, self._form.rate, self._longest)
        except ValueError as error:
            raise ValueError(f"column {self.column!r}, row {row}: {error}") from error
        return log_mel(samples.astype(np.float32) / FULL, self._form) - self._mean


def mel_form(config: Mapping[str, Any]) -> MelForm:
    """Frames and bands in samples, from a configuration in milliseconds."""
    rate = int(config["sample_rate"])
    window, hop = (max(1, round(config[name] * rate / 1000)) for name in ("window_ms", "hop_ms"))
    return MelForm(rate, int(config["mels"]), window, hop)


def samples_of(cell: Any, rate: int, longest: float) -> np.ndarray:
    """int16 [steps] of one channel at `rate`, at most `longest` seconds of it.

    Raises ValueError for whatever is no sound, without the place of the cell.
    """
    return fitted(sound_of(cell, longest), rate, longest)


def sound_of(cell: Any, longest: float) -> Sound:
    """The first seconds of a cell's sound, as they stand there; ValueError for what is none."""
    if isinstance(cell, str | bytes | bytearray):
        return read_wav(bytes_of(cell, SUFFIXES, FORMS, MOST_BYTES), longest)
    return _listed(cell, longest)


def cell_of(samples_S: np.ndarray, rate: int) -> str:
    """Base64 of int16 samples as a WAV file: text that any door lets through."""
    return base64.b64encode(wav_bytes(samples_S, rate)).decode()


def stored_samples(cell: str) -> tuple[np.ndarray, int]:
    """Samples int16 [steps] and rate of a cell that `cell_of` made."""
    data = base64.b64decode(cell)
    (rate,) = struct.unpack_from("<I", data, RATE_AT)
    return np.frombuffer(data, "<i2", offset=HEADER_BYTES), rate


def fitted(sound: Sound, rate: int, longest: float) -> np.ndarray:
    """int16 [steps] at `rate`: the mean of the channels, at most `longest` seconds."""
    one_S = resampled(sound.samples_SC.mean(axis=1), sound.rate, rate)[: round(longest * rate)]
    return np.asarray(np.clip(np.rint(one_S * FULL), -FULL, FULL - 1), dtype=np.int16)


def _listed(cell: Any, longest: float) -> Sound:
    """Samples in a list, or a list of those of all channels at each step."""
    if not isinstance(cell, Mapping) or not {"rate", "samples"} <= cell.keys():
        raise ValueError(f"{short(cell)} must be {FORMS}")
    rate, samples = cell["rate"], _numbers(cell["samples"])
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate % 1 != 0:
        raise ValueError(f"rate {short(rate)} must be a whole number of samples a second")
    check_rate(rate)
    if not len(samples):
        raise ValueError("holds no sample")
    return Sound(samples[: int(longest * rate) + 1], int(rate), len(samples) / rate)


def _numbers(samples: Any) -> np.ndarray:
    try:
        found = np.asarray(samples, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(())
    if found.ndim not in (1, 2):
        raise ValueError(f"samples {short(samples)} must be a list of numbers from -1 to 1")
    if found.ndim == 2 and found.shape[1] > MOST_CHANNELS:
        raise ValueError(f"{found.shape[1]:,} channels, 1 to {MOST_CHANNELS} are taken")
    check_samples(found)
    return found.reshape(len(found), -1).astype(np.float32) if found.size else found[:0]
