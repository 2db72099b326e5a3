"""The newest rows of data that grows, counted from the newest row, never from the clock.

So the same files give the same rows on any day, and a run at night repeats nothing until there is
something new.
"""

import numpy as np

from tasks.data.config import DataConfig
from tasks.data.table import Table
from tasks.data.times import seconds_of
from tasks.packaging.predictor.table import is_empty

DAY = 86_400.0


def in_window(table: Table, config: DataConfig) -> Table:
    """The rows of the last `data.window` by the column of times; all when the config has none.

    Raises ValueError for a cell that is no date or time.
    """
    column = config.time_column
    if config.window is None or column is None:
        return table
    instants = np.fromiter(
        (_instant(table, row, value) for row, value in enumerate(_cells(table, config))),
        dtype=np.float64,
        count=len(table),
    )
    kept = np.flatnonzero(instants > instants.max() - config.window_days * DAY)
    return table if len(kept) == len(table) else table.taking(kept)


def _cells(table: Table, config: DataConfig) -> list[object]:
    field = "data.time" if config.time else "data.split.time"
    return table.column(str(config.time_column), field)


def _instant(table: Table, row: int, value: object) -> float:
    try:
        if not is_empty(value):
            return seconds_of(value)
    except ValueError:
        pass
    raise ValueError(
        f"{table.where(row)}: {value!r:.40} where data.window needs an ISO 8601 date or time"
    )
