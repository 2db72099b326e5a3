"""What a ranking predicts: which of many items a user meets."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.data.config import DataConfig
from tasks.data.labels import check_missing, class_name
from tasks.data.table import Mask, Table

MOST_ITEMS = 20_000
"""A model scores every item for every user; larger catalogues want sampled losses."""
MOST_ANSWERS = 100_000_000
"""Scores of a teacher for all events and items: 400 MB."""
MOST_FREQUENT = 10


class ItemTarget:
    """The name of an item."""

    one_answer = False
    least_classes = 1

    def read(self, table: Table, config: DataConfig) -> tuple[list[Any], Mask]:
        """Names of items."""
        names = [class_name(value) for value in table.column(config.target, "data.target")]
        missing = np.array([name is None for name in names], dtype=np.bool_)
        check_missing(missing, table, config.target)
        return [name or "" for name in names], missing

    def classes(self, labels: Sequence[Any], config: DataConfig, where: str) -> tuple[str, ...]:
        """The catalogue: every item that occurs, sorted; ValueError for too few or too many."""
        items = tuple(sorted(set(labels)))
        if not 2 <= len(items) <= MOST_ITEMS:
            raise ValueError(
                f"{where}: data.target {config.target!r} has {len(items):,} different items, task "
                f"ranking takes 2 to {MOST_ITEMS:,}"
            )
        events = min(len(labels), config.max_rows or len(labels))
        if events * len(items) > MOST_ANSWERS:
            raise ValueError(
                f"{where}: a teacher's scores of {len(items):,} items for {events:,} events are "
                f"more than {MOST_ANSWERS:,}: set data.max_rows to at most "
                f"{MOST_ANSWERS // len(items):,}"
            )
        return items

    def strata(self, labels: Sequence[Any]) -> list[str]:
        """One for all: an item need not stand on every side."""
        return ["item"] * len(labels)

    def scale(self, labels: Sequence[Any]) -> None:
        """Names have none."""

    def figures(self, labels: Sequence[Any], classes: Sequence[str]) -> dict[str, Any]:
        """How many items there are, and which are met most."""
        counts = Counter(labels)
        return {
            "items": len(counts),
            "share_of_catalogue": round(len(counts) / len(classes), 4),
            "most_frequent": dict(counts.most_common(MOST_FREQUENT)),
        }
