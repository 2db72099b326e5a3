"""Series in a long table, one row for each step in time, as one row for each series."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np

from tasks.data.table import Ids, Table, is_missing, shortened
from tasks.packaging.predictor.table import number_of

Groups = list[list[int]]


def rows_of_steps(
    table: Table,
    layout: Mapping[str, str],
    of_a_series: Sequence[str] = (),
    channels: Sequence[str] = (),
) -> Table:
    """A row for each series: channels as lists in order of time, the time of its last step, and the
    rest as it is.

    `layout` names the columns `id` and `time`. Without `channels` those are the numbers that change
    within a series; other columns that do are left out. Raises ValueError for a time that repeats,
    a cell that is no number, or two values `of_a_series`: its label, or what it is told apart by.
    """
    series_id, time = layout["id"], layout["time"]
    ids = table.column(series_id, "data.series.id")
    times = [_instant(table, row, time) for row in range(len(table))]
    groups = _groups(table, ids, times, series_id, time)
    for place, name in enumerate(of_a_series):
        if name in table.columns:
            _check_one_value(table, groups, name, "evaluate.slices" if place else "data.target")
    fixed = (series_id, time, *of_a_series, *table.facts.get("partitioned_by", ()))
    moving = [name for name in table.columns if name not in fixed]
    lists = tuple(channels) or tuple(n for n in moving if _is_channel(table, n, groups))
    if not lists:
        _check_there_is_one(table, moving, groups)
    columns: dict[str, list[Any]] = {}
    for name, values in table.columns.items():
        if name in lists:
            numbers = [_number(table, row, name) for row in range(len(table))]
            columns[name] = [[numbers[row] for row in group] for group in groups]
        elif name == time or not _changes(values, groups):
            columns[name] = [values[group[-1]] for group in groups]
    first = np.array([min(group) for group in groups])
    places: Ids = first if table.places is None else table.places[first]
    facts = {**table.facts, "steps": len(table)}
    return replace(table, columns=columns, names=tuple(columns), places=places, facts=facts)


def _groups(
    table: Table, ids: Sequence[Any], times: Sequence[float], series_id: str, time: str
) -> Groups:
    """The rows of each series in order of time; series in the order of their first row."""
    found: dict[Any, list[int]] = {}
    for row, name in enumerate(ids):
        if is_missing(name) or name == "":
            raise ValueError(f"{table.where(row)}: data.series.id {series_id!r} is missing")
        found.setdefault(name, []).append(row)
    for name, rows in found.items():
        rows.sort(key=lambda row: times[row])
        for before, row in pairwise(rows):
            if times[before] == times[row]:
                raise ValueError(
                    f"{table.where(row)}: data.series.time {time!r} repeats "
                    f"{table.columns[time][row]!r} within series {name!r}"
                )
    return list(found.values())


def _instant(table: Table, row: int, time: str) -> float:
    value = table.column(time, "data.series.time")[row]
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = _moment(value)
    if math.isfinite(found):
        return found
    raise ValueError(
        f"{table.where(row)}: data.series.time {time!r} is {value!r:.40}, a number or an ISO 8601 "
        "date or time was expected"
    )


def _moment(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(table: Table, row: int, name: str) -> float | None:
    value = table.column(name, "data.inputs")[row]
    try:
        number = number_of(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{table.where(row)}: data.inputs {name!r} is {value!r:.40}, a number was expected"
        ) from error
    return None if math.isnan(number) else number


def _is_channel(table: Table, name: str, groups: Groups) -> bool:
    values = table.columns[name]
    try:
        for value in values:
            number_of(value)
    except (TypeError, ValueError):
        return False
    return _changes(values, groups)


def _check_there_is_one(table: Table, moving: Sequence[str], groups: Groups) -> None:
    """Raise ValueError, about the cell that is no number where there is such a column."""
    for name in moving:
        if _changes(table.columns[name], groups):
            for row in range(len(table)):
                _number(table, row, name)
    raise ValueError(
        f"{table.path.name}: no column changes within a series (columns: "
        f"{shortened(table.names)}), numbers that do were expected"
    )


def _changes(values: Sequence[Any], groups: Groups) -> bool:
    return any(values[row] != values[group[0]] for group in groups for row in group)


def _check_one_value(table: Table, groups: Groups, name: str, what: str) -> None:
    values = table.columns[name]
    for group in groups:
        for row in group:
            if values[row] != values[group[0]]:
                raise ValueError(
                    f"{table.where(row)}: {what} {name!r} is {values[row]!r:.40} and "
                    f"{values[group[0]]!r:.40} in one series, which has one value"
                )
