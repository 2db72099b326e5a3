"""What is particular to rows of sounds: how they are read, what is damaged, what is the same."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tasks.data.config import DataConfig
from tasks.data.files import check_corrupt, is_named, read_cells
from tasks.data.same_sound import same_sounds
from tasks.data.table import Ids, Mask, Table, is_missing, shortened
from tasks.packaging.predictor.audio import (
    FULL,
    SUFFIXES,
    cell_of,
    fitted,
    sound_of,
    stored_samples,
)

Columns = Mapping[str, Sequence[Any]]
RIFF_BASE64 = "UklGR"
AT = (0.0, 0.05, 0.5, 0.95, 1.0)


class AudioKind:
    """Rows with one sound each, which the snapshot keeps as WAV: one channel, one rate, 16 bits."""

    name = "audio"
    drops_equal_rows = True
    why = f"files that end in {', '.join(SUFFIXES)}"
    why_inputs = "the column of files"

    def choose_inputs(self, table: Table, target: str) -> tuple[str, ...]:
        """The first column of sounds; ValueError when there is none."""
        for name in table.names:
            known = [value for value in table.columns[name] if not is_missing(value)]
            if name != target and known and all(map(_is_sound, known)):
                return (name,)
        raise ValueError(
            f"data.inputs: {table.path.name} has no column of files that end in "
            f"{', '.join(SUFFIXES)} (columns: {shortened(table.names)})"
        )

    def check_inputs(self, table: Table, inputs: Sequence[str]) -> None:
        """Pass when `inputs` is one column; what its cells hold is seen when they are opened."""
        del table
        if len(inputs) != 1:
            raise ValueError(f"data.inputs has {len(inputs)} columns, kind audio takes exactly one")

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

    def types(self, columns: Columns, given: Mapping[str, str]) -> dict[str, str]:
        """None: a sound is a sound. ValueError when the project gives types."""
        del columns
        if given:
            raise ValueError(f"data.columns {', '.join(given)}: kind audio has no types of columns")
        return {}

    def typed(self, columns: Columns, types: Mapping[str, str]) -> dict[str, list[Any]]:
        """The sounds as they were opened."""
        del types
        return {name: list(values) for name, values in columns.items()}

    def unusable(self, columns: Columns) -> dict[str, Mask]:
        """Rows to drop, by reason: those whose sound could not be read."""
        (cells,) = columns.values()
        gone = (cell is None for cell in cells)
        return {"corrupt file": np.fromiter(gone, dtype=np.bool_, count=len(cells))}

    def keys(self, columns: Columns) -> list[str]:
        """What a row is, as a string: equal samples ask the same question."""
        (cells,) = columns.values()
        return list(cells)

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


def _is_sound(cell: Any) -> bool:
    if isinstance(cell, Mapping):
        return {"rate", "samples"} <= cell.keys()
    if isinstance(cell, bytes):
        return cell.startswith(b"RIFF")
    return is_named(cell, SUFFIXES) or (isinstance(cell, str) and cell.startswith(RIFF_BASE64))
