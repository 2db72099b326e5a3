"""Encoder of rows in which a user meets an item: an id for each, and columns about either.

Id 0 is whoever training did not meet, or nobody; the known ones start at 1.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .table import TableRows, category_of

USER_AND_ITEM = ("user", "item")


class InteractionRows:
    """`user` and `item` int64 [rows]; where a side has columns, `<side>_numbers` float32 [rows, K]
    and `<side>_categories` int64 [rows, M]."""

    batch_rows = 256
    ragged_axes: tuple[int, ...] = ()

    def __init__(self, config: Mapping[str, Any], met: np.ndarray | None = None) -> None:
        self._met = met
        self._ids = {
            side: {name: place + 1 for place, name in enumerate(config[side]["known"])}
            for side in USER_AND_ITEM
            if side in config
        }
        self._columns = {side: str(config[side]["column"]) for side in self._ids}
        self._tables = {
            side: TableRows.load(table, Path()) for side, table in config["tables"].items()
        }
        parts = {side: _parts(table) for side, table in config["tables"].items()}
        self._widths = {side: sum(width for _, width in parts[side]) for side in parts}
        self._parts = {side: [name for name, width in parts[side] if width] for side in parts}
        own = (f"{side}_{part}" for side in self._parts for part in self._parts[side])
        self.names = (*self._ids, *own)

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "InteractionRows":
        """From the configuration and, of a ranking, the file of who met what."""
        name = config.get("met")
        met = np.load(folder / name, allow_pickle=False) if name else None
        return cls(config, met)

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        """float32 [rows, ids and columns]; ids are exact in it up to 2**24."""
        ids = [self._ids_of(side, columns) for side in self._ids]
        tables = [table.rows(columns) for table in self._tables.values()]
        return np.concatenate([np.stack(ids, axis=1).astype(np.float32), *tables], axis=1)

    def length(self, row: np.ndarray) -> int:
        """All rows are equally long."""
        del row
        return 1

    def batch(self, rows: Sequence[np.ndarray] | np.ndarray) -> dict[str, np.ndarray]:
        """Ids, numbers and categories of these rows."""
        stacked = rows if isinstance(rows, np.ndarray) else np.stack(rows)
        arrays = {side: stacked[:, i].astype(np.int64) for i, side in enumerate(self._ids)}
        start = len(self._ids)
        for side, table in self._tables.items():
            found = table.batch(stacked[:, start : start + self._widths[side]])
            arrays |= {f"{side}_{part}": found[part] for part in self._parts[side]}
            start += self._widths[side]
        return arrays

    def barred(self, rows: Sequence[np.ndarray] | np.ndarray, logits_BC: np.ndarray) -> np.ndarray:
        """The logits, minus infinity for the items that the row's user met in training."""
        if self._met is None:
            return logits_BC
        found_BC = np.array(logits_BC, dtype=np.float32)
        for index, row in enumerate(rows):
            found_BC[index, met_by(self._met, int(row[0]))] = -np.inf
        return found_BC

    def _ids_of(self, side: str, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        column, known = self._columns[side], self._ids[side]
        if column not in columns:
            raise ValueError(f"column {column!r} is missing; found {', '.join(map(str, columns))}")
        return np.array([known.get(_name(value, column), 0) for value in columns[column]])


def met_table(users: np.ndarray, items: np.ndarray, num_users: int) -> np.ndarray:
    """int32: where each user's items begin, [num_users + 1], then the items, sorted by user.

    User 0 is the unknown one, who met nothing.
    """
    pairs = np.unique(np.stack([users, items], axis=1)[users > 0], axis=0)
    begins = np.searchsorted(pairs[:, 0], np.arange(num_users + 1)) + num_users + 1
    return np.concatenate([begins, pairs[:, 1]]).astype(np.int32)


def met_by(met: np.ndarray, user: int) -> np.ndarray:
    """The items of one user."""
    return met[met[user] : met[user + 1]]


def _name(value: Any, column: str) -> str:
    if isinstance(value, list | dict):
        raise ValueError(f"column {column!r}: {value!r:.40} must be the name of one {column}")
    return category_of(value) or ""


def _parts(table: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The tensors of a side's columns, and how wide each is."""
    numbers = sum(1 + scale["missing"] for scale in table["numbers"])
    return [("numbers", numbers), ("categories", len(table["categories"]))]
