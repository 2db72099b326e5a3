"""Whether a file of rows says who met what: users, items, ratings or events, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.data.config import DataConfig
from tasks.data.given import instants_of
from tasks.data.interactions import InteractionsKind, users_and_items
from tasks.data.item_target import MOST_ANSWERS, MOST_ITEMS
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.split_config import SplitConfig
from tasks.data.table import Table
from tasks.packaging.predictor.table import number_of

RATINGS = ("rating", "ratings", "stars", "score")
"""Names that people give to how much somebody liked something."""
TIMES = ("timestamp", "time", "datetime", "date", "day", "at", "when", "created", "ts", "moment")
"""Names that people give to when it happened, also with `_at` behind them."""


@dataclass(frozen=True, slots=True)
class Meetings:
    """What the columns of such a file are, as far as their names and values tell."""

    user: str
    item: str
    rating: str | None
    time: str | None

    @property
    def task(self) -> str:
        """A rating is predicted; without one, what is met next."""
        return "regression" if self.rating else "ranking"

    @property
    def target(self) -> str:
        """The rating, or the item."""
        return self.rating or self.item

    @property
    def inputs(self) -> tuple[str, ...]:
        """Of a ranking the user alone."""
        return (self.user, self.item) if self.rating else (self.user,)

    @property
    def pair(self) -> dict[str, str]:
        """The section `interactions`."""
        return {"user": self.user, "item": self.item}


def meetings_of(table: Table, other_targets: Sequence[str]) -> Meetings | None:
    """The columns of who, what, how much and when; None where the file is not plainly such.

    Without a rating there must be a time, and no column called as one of `other_targets`.
    """
    user, item = users_and_items(table)
    if not (user and item):
        return None
    rating = _one(table, RATINGS, _are_numbers)
    time = _one(table, TIMES, lambda values: _are_instants(table, values))
    if rating:
        return Meetings(user, item, rating, time)
    asked = {name.lower() for name in table.names if name not in (user, item)} & set(other_targets)
    few = len(set(table.columns[item])) <= MOST_ITEMS
    return Meetings(user, item, None, time) if time and few and not asked else None


def tried(
    meetings: Meetings, table: Table, encoding: str, shares: SplitConfig
) -> tuple[Prepared, str] | None:
    """The whole file prepared, and why its split is what it is; None where it cannot be.

    Ratings are split at random where the times do not serve.
    """
    most = None if meetings.rating else most_events(table, meetings.item)
    for split, why in _splits(meetings, shares):
        config = DataConfig(
            source=str(table.path),
            kind=InteractionsKind.name,
            interactions=meetings.pair,
            target=meetings.target,
            task=meetings.task,
            encoding=encoding,
            split=split,
            max_rows=most,
        )
        try:
            return prepare_rows(config, Path()), why
        except ValueError:
            continue
    return None


def most_events(table: Table, item: str) -> int | None:
    """So many rows that a teacher's scores of every item can be kept; None where all can."""
    most = MOST_ANSWERS // len(set(table.columns[item]))
    return most if most < len(table) else None


def _splits(meetings: Meetings, shares: SplitConfig) -> list[tuple[SplitConfig, str]]:
    found = []
    if meetings.time:
        by_time = shares.model_copy(update={"time": meetings.time})
        found.append((by_time, "each user's newest rows are foreseen from older ones"))
    if meetings.rating:
        why = (
            "at random: no column says when"
            if not meetings.time
            else "at random: too few rows of a user"
        )
        found.append((shares, why))
    return found


def _one(table: Table, names: Sequence[str], fits: Any) -> str | None:
    """The one column that is called so and holds what it should."""
    found = [n for n in table.names if _plain(n) in names and fits(table.columns[n])]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    """`created_at` is `created`, `Time Stamp` is `timestamp`."""
    lowered = name.lower().replace(" ", "")
    return lowered.removesuffix("_at").replace("_", "")


def _are_numbers(values: Sequence[Any]) -> bool:
    try:
        return len({number_of(value) for value in values}) > 1
    except (TypeError, ValueError):
        return False


def _are_instants(table: Table, values: Sequence[Any]) -> bool:
    name = next(n for n in table.names if table.columns[n] is values)
    try:
        return len(np.unique(instants_of(name, table, np.arange(len(table))))) > 2
    except ValueError:
        return False
