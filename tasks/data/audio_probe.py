"""What sounds can be asked: how long, how loud, how they stand noise, a bad line, another level."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.audio import level_of
from tasks.data.slicing import sliced_by_size
from tasks.packaging.predictor.audio import FULL, cell_of, stored_samples
from tasks.packaging.predictor.mel import resampled

Columns = Mapping[str, Sequence[Any]]
Random = np.random.Generator
Samples = NDArray[np.float64]
"""[steps], full scale is 1."""
Change = Callable[[Samples, Random], Samples]
MOST_PARTS = 20
"""A sound is silenced piece by piece, so many of equal length."""
SHORTEST_PART = 0.05
"""Seconds of such a piece, at least."""


class AudioProbe:
    """Rows with one sound each."""

    def slices(
        self, columns: Columns, training: Columns, types: Mapping[str, str]
    ) -> dict[str, list[str]]:
        """By length in seconds, and by loudness."""
        del types
        asked, known = _sounds(columns), _sounds(training)
        seconds, usual = ([_seconds(*sound) for sound in part] for part in (asked, known))
        levels, common = ([_decibels(*sound) for sound in part] for part in (asked, known))
        return {
            "length": sliced_by_size(seconds, usual, "s"),
            "loudness": sliced_by_size(levels, common, "dB"),
        }

    def damaged(
        self, columns: Columns, types: Mapping[str, str], seed: int
    ) -> dict[str, dict[str, list[str]]]:
        """Sounds with noise, quieter, too loud, through a worse line, cut off."""
        del types
        return {
            name: {column: _all_changed(cells, change, seed) for column, cells in columns.items()}
            for name, change in CHANGES.items()
        }

    def parts(
        self, row: Mapping[str, Any], types: Mapping[str, str]
    ) -> list[tuple[str, dict[str, Any]]]:
        """Its stretches of time, each silenced in turn."""
        del types
        return [part for column, cell in row.items() for part in _silenced(row, column, cell)]


def with_noise(snr_db: float) -> Change:
    """White noise so many decibels below the sound."""

    def changed(sound: Samples, random: Random) -> Samples:
        size = np.sqrt(np.mean(sound**2)) * 10 ** (-snr_db / 20)
        return np.asarray(sound + random.normal(0, 1, len(sound)) * size)

    return changed


def amplified(decibels: float) -> Change:
    """Louder by so many decibels; what is beyond the full scale is cut off."""
    return lambda sound, _: sound * 10 ** (decibels / 20)


def at_half_the_rate(sound: Samples, random: Random) -> Samples:
    """Nothing is left of the upper half of the pitches."""
    del random
    low = resampled(sound, 2, 1)
    return resampled(low, 1, 2)[: len(sound)].astype(np.float64)


def without_its_end(sound: Samples, random: Random) -> Samples:
    """The second half is gone."""
    del random
    return sound[: -(-len(sound) // 2)]


CHANGES: dict[str, Change] = {
    "noise at 20 dB": with_noise(20),
    "noise at 5 dB": with_noise(5),
    "12 dB quieter": amplified(-12),
    "20 dB too loud": amplified(20),
    "half the sample rate": at_half_the_rate,
    "second half lost": without_its_end,
}


def _all_changed(cells: Sequence[str], change: Change, seed: int) -> list[str]:
    changed = []
    for row, cell in enumerate(cells):
        samples, rate = stored_samples(cell)
        made = change(samples / FULL, np.random.default_rng((seed, row)))
        changed.append(_cell(made, rate))
    return changed


def _silenced(row: Mapping[str, Any], column: str, cell: str) -> list[tuple[str, dict[str, Any]]]:
    samples, rate = stored_samples(cell)
    run = max(-(-len(samples) // MOST_PARTS), round(SHORTEST_PART * rate))
    found = []
    for start in range(0, len(samples), run):
        rest = samples.copy()
        rest[start : start + run] = 0
        end = min(start + run, len(samples)) / rate
        found.append((f"{start / rate:.2f} to {end:.2f} s", {**row, column: cell_of(rest, rate)}))
    return found


def _cell(sound: Samples, rate: int) -> str:
    whole = np.clip(np.rint(sound * FULL), -FULL, FULL - 1)
    return cell_of(whole.astype(np.int16), rate)


def _sounds(columns: Columns) -> list[tuple[NDArray[np.int16], int]]:
    (cells,) = columns.values()
    return [stored_samples(cell) for cell in cells]


def _seconds(samples: NDArray[np.int16], rate: int) -> float:
    return round(len(samples) / rate, 2)


def _decibels(samples: NDArray[np.int16], rate: int) -> float:
    del rate
    return round(level_of(samples), 1)
