"""Sides that the project gives: by files of their own, by a column, or by time.

A side is an index into `SPLITS`, and `OPEN` where chance decides among the splits that are shares.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.data.arrow_column import taken
from tasks.data.config import DataConfig
from tasks.data.digests import Digests
from tasks.data.source_table import source_table
from tasks.data.split_config import SplitConfig
from tasks.data.splitting import SPLITS, split_rows
from tasks.data.table import Ids, Mask, Table, joined, shortened
from tasks.data.target import TARGETS
from tasks.data.times import seconds_of

OPEN = -1
LEAK = "also in valid or the holdout"
"""Why a row went that asks what a row of a later split asks."""
Instants = npt.NDArray[np.float64]


def read_sides(config: DataConfig, base: Path, wanted: Sequence[str]) -> tuple[Table, Ids]:
    """The rows of the source and of the splits with a file, and the side that a file gives them."""
    tables = [source_table(config, base, wanted)]
    sides = [OPEN]
    for split, file in config.split.files.items():
        place = config.model_copy(update={"source": file})
        tables.append(source_table(place, base, wanted, f"data.split.{split}"))
        sides.append(SPLITS.index(split))
    return joined(tables), np.repeat(sides, list(map(len, tables)))


def given_sides(config: SplitConfig, table: Table, by_file: Ids, used: Ids) -> Ids:
    """The given side of each row of the table; by time, as far as the rows in `used` decide it.

    Raises ValueError for a column that is not there, or a value that is no split and no time.
    """
    if config.column:
        return _sides_by_column(config.column, table)
    if config.time:
        instants = instants_of(config.time, table, used)
        sides = np.full(len(table), OPEN)
        sides[used] = sides_by_time(instants, config)
        return sides
    return by_file


def sides_by_time(instants: Instants, config: SplitConfig) -> Ids:
    """Training below, then valid, then the holdout; rows of one instant are never divided.

    The cuts are those that come nearest to the shares. ValueError below three different instants.
    """
    assert isinstance(config.test, float)
    assert isinstance(config.valid, float)
    different, counts = np.unique(instants, return_counts=True)
    if len(different) < 3:
        raise ValueError(
            f"data.split.time {config.time!r} has {len(different)} different values, at least 3 "
            "are needed for train, valid and test"
        )
    newer = counts[::-1].cumsum()[::-1]  # rows at this instant or later
    test = 2 + int(np.argmin(np.abs(newer[2:] - config.test * len(instants))))
    both = (config.test + config.valid) * len(instants)
    valid = 1 + int(np.argmin(np.abs(newer[1:test] - both)))
    return np.searchsorted(different[[valid, test]], instants, side="right").astype(np.int64)


def draw_open_sides(
    digests: Digests, groups: Ids, labels: Sequence[str], given: Ids, config: DataConfig
) -> Ids:
    """The side of every row: the given one, else drawn by group among the splits left open.

    Raises ValueError when a split is empty, or holds a class that training never meets.
    """
    rows = np.flatnonzero(given == OPEN)
    sides = given.copy()
    if len(rows) == len(given):  # the usual case, without a copy of everything
        sides = split_rows(digests, groups, labels, config.split, config.target)
    elif len(rows):
        there: dict[str, Any] = {SPLITS[side]: "given" for side in (1, 2) if (given == side).any()}
        drawn = split_rows(
            digests[rows],
            groups[rows],
            labels if len(rows) == len(labels) else taken(labels, rows),
            config.split.model_copy(update=there),
            config.target,
        )
        sides[rows] = drawn
    if config.split.is_given:
        _check_sides(sides, labels, config)
    return sides


def leaking_rows(questions: Ids, given: Ids) -> Mask:
    """Which rows ask what a row on a later given side asks (train, valid, test in this order)."""
    latest = np.full(int(questions.max()) + 1, OPEN)
    np.maximum.at(latest, questions, given)
    last = latest[questions]
    return np.asarray((last > 0) & (given < last), dtype=np.bool_)


def _sides_by_column(column: str, table: Table) -> Ids:
    field = "data.split.column"
    sides = np.empty(len(table), dtype=np.int64)
    for row, value in enumerate(table.column(column, field)):
        if value not in SPLITS:
            raise ValueError(
                f"{table.where(row)}: {field} {column!r} is {value!r:.40}, train, valid or test "
                "was expected"
            )
        sides[row] = SPLITS.index(value)
    if not (sides == SPLITS.index("test")).any():
        raise ValueError(f"{field} {column!r} of {table.path.name} never says test")
    if not (sides == SPLITS.index("valid")).any():
        sides[sides == 0] = OPEN
    return sides


def instants_of(column: str, table: Table, used: Ids) -> Instants:
    """Seconds of dates and times (UTC where none is named), numbers as they are."""
    field = "data.split.time"
    values = table.column(column, field)
    chosen = taken(values, used)
    numbers = sum(map(_is_number, chosen))
    parse = float if 2 * numbers > len(chosen) else seconds_of
    found = np.empty(len(chosen))
    for place, value in enumerate(chosen):
        try:
            found[place] = parse(value)
            if not np.isfinite(found[place]):
                raise ValueError(value)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{table.where(int(used[place]))}: {field} {column!r} is {value!r:.40}, a number "
                "or an ISO 8601 date or time was expected"
            ) from error
    return found


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False


def _check_sides(sides: Ids, labels: Sequence[str], config: DataConfig) -> None:
    found = [Counter[str]() for _ in SPLITS]
    for side, label in zip(sides.tolist(), labels, strict=True):
        found[side][label] += 1
    for split, counts in zip(SPLITS, found, strict=True):
        if len(counts) < TARGETS[config.task].least_classes:
            only = f"only the class {next(iter(counts))!r}" if counts else "no row"
            raise ValueError(
                f"data.split: {split} has {only} of data.target {config.target!r}, at least two "
                "classes are needed"
            )
        if unknown := sorted(set(counts) - set(found[0])):
            raise ValueError(
                f"data.split: {split} has classes of data.target {config.target!r} that no "
                f"training row has: {shortened(unknown, most=5)}"
            )
