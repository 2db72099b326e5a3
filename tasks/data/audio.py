"""What is particular to rows of sounds: how they are read, what is damaged, what is the same."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tasks.data.config import DataConfig
from tasks.data.file_kind import Columns, FileKind
from tasks.data.files import check_corrupt, is_named, read_cells
from tasks.data.same_sound import same_sounds
from tasks.data.table import Ids, Table
from tasks.packaging.predictor.audio import (
    FULL,
    SUFFIXES,
    cell_of,
    fitted,
    sound_of,
    stored_samples,
)

RIFF_BASE64 = "UklGR"
AT = (0.0, 0.05, 0.5, 0.95, 1.0)


class AudioKind(FileKind):
    """Rows with one sound each, which the snapshot keeps as WAV: one channel, one rate, 16 bits."""

    name = "audio"
    suffixes = SUFFIXES

    def is_one(self, cell: Any) -> bool:
        """Whether a cell is a sound: a name, bytes or content."""
        if isinstance(cell, Mapping):
            return {"rate", "samples"} <= cell.keys()
        if isinstance(cell, bytes):
            return cell.startswith(b"RIFF")
        return is_named(cell, SUFFIXES) or (isinstance(cell, str) and cell.startswith(RIFF_BASE64))

    def opened(self, table: Table, config: DataConfig) -> Table:
        """The table with its sounds read, None for each that cannot be.

        Raises ValueError when those are more than the share `data.max_corrupt`.
        """
        (name,) = config.inputs
        rate, longest = config.audio.sample_rate, config.audio.seconds

        def read(cell: Any) -> tuple[str, bool]:
            sound = sound_of(cell, longest)
            return cell_of(fitted(sound, rate, longest), rate), sound.seconds > longest

        found, corrupt = read_cells(table, name, read, SUFFIXES)
        check_corrupt(table, corrupt, config.max_corrupt, "sounds")
        cells = [None if made is None else made[0] for made in found]
        cut = sum(made is not None and made[1] for made in found)
        facts = {**table.facts, "corrupt": corrupt, "cut_at_data_audio_seconds": cut}
        return replace(table, columns={**table.columns, name: cells}, facts=facts)

    def near_duplicates(self, columns: Columns) -> Ids:
        """A group number for each row; copies at another level, rate or width share one."""
        (cells,) = columns.values()
        return same_sounds([stored_samples(cell) for cell in cells])

    def figures(self, columns: Columns) -> dict[str, Any]:
        """How long the sounds are and how loud, for the data report."""
        (cells,) = columns.values()
        sounds = [stored_samples(cell) for cell in cells]
        seconds = [len(samples) / rate for samples, rate in sounds]
        levels = [level_of(samples) for samples, _ in sounds]
        return {
            "sample_rate": sounds[0][1] if sounds else None,
            "quantiles": list(AT),
            "seconds": np.quantile(seconds, AT).round(3).tolist() if sounds else [],
            "level_db": np.quantile(levels, AT).round(1).tolist() if sounds else [],
        }


def level_of(samples_S: np.ndarray) -> float:
    """Decibels of the mean power, 0 is a full scale throughout; silence is -100."""
    power = float(np.mean((samples_S.astype(np.float64) / FULL) ** 2))
    return 10 * float(np.log10(power + 1e-10))
