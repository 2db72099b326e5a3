"""What rows of users and items can be asked: of whom little is known, and strangers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.data.slicing import sliced_by_size
from tasks.data.table_probe import TableProbe
from tasks.packaging.predictor.interactions import USER_AND_ITEM

Columns = Mapping[str, Sequence[Any]]
Types = Mapping[str, str]
NEW = "not in training"
UNKNOWN = "never met by anybody"
_TABLE = TableProbe()


class InteractionsProbe:
    """A user, an item, and columns that say more of either."""

    def slices(self, columns: Columns, training: Columns, types: Types) -> dict[str, list[str]]:
        """By training rows of the user, and of the item."""
        return {
            f"training rows of the {types[name]}": _by_rows(columns[name], training[name])
            for name in columns
            if types.get(name) in USER_AND_ITEM
        }

    def damaged(self, columns: Columns, types: Types, seed: int) -> dict[str, Columns]:
        """Strangers in the place of the users, of the items, of both; the rest as in a table."""
        names = {types[name]: name for name in columns if types.get(name) in USER_AND_ITEM}
        strangers = {
            side: {**columns, name: [UNKNOWN] * len(columns[name])} for side, name in names.items()
        }
        found: dict[str, Columns] = {f"unknown {side}": rows for side, rows in strangers.items()}
        if len(names) > 1:
            both = {name: [UNKNOWN] * len(columns[name]) for name in names.values()}
            found["unknown user and item"] = {**columns, **both}
        others = {name: values for name, values in columns.items() if name not in names.values()}
        if others:
            table = _TABLE.damaged(others, types, seed)
            found |= {what: {**columns, **rows} for what, rows in table.items()}
        return found

    def parts(self, row: Mapping[str, Any], types: Types) -> list[tuple[str, dict[str, Any]]]:
        """Its cells."""
        return _TABLE.parts(row, types)


def _by_rows(names: Sequence[Any], training: Sequence[Any]) -> list[str]:
    """The size class of each one's training rows, with about as many training rows in each."""
    counts = Counter(training)
    sized = sliced_by_size(
        [counts[name] for name in names], [counts[name] for name in training], "rows"
    )
    return [size if counts[name] else NEW for name, size in zip(names, sized, strict=True)]
