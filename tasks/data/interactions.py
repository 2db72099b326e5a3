"""What is particular to rows in which a user meets an item: two ids, and columns about either."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.data.table import Table, shortened
from tasks.data.tabular import TableKind, type_of
from tasks.packaging.predictor.interactions import USER_AND_ITEM
from tasks.packaging.predictor.table import category_of, is_empty, number_of

Columns = Mapping[str, Sequence[Any]]
USERS = ("user", "customer", "member", "reader", "viewer", "listener", "visitor", "student")
ITEMS = ("item", "movie", "film", "product", "book", "song", "track", "artist", "article", "recipe")
"""Names that people give to the two columns, also with `id` behind them."""
LEAST_MEETINGS = 3
"""Mean rows of a user and of an item, below which a file that looks so is taken for a table."""


class InteractionsKind(TableKind):
    """Rows of a user, an item and what came of it; everything else is as in a table."""

    name = "interactions"
    why = "a column names users, one names items, and both repeat"
    why_inputs = "the user and the item"

    def choose_inputs(self, table: Table, target: str) -> tuple[str, ...]:
        """The columns of user and item; ValueError unless their names and values are plain."""
        found = users_and_items(table, target)
        if "" in found or not _are_numbers(table.columns[target]):
            raise ValueError(
                f"data.inputs: {table.path.name} has no columns of users and items, and no number "
                f"to rate them by (columns: {shortened(table.names)})"
            )
        return found

    def types(self, columns: Columns, given: Mapping[str, str]) -> dict[str, str]:
        """`user` and `item` as given, of other columns what their cells can be."""
        types = {name: given.get(name) or type_of(values) for name, values in columns.items()}
        for name, type_ in types.items():
            if type_ == "text":
                raise ValueError(
                    f"data.inputs {name!r} is free text, which kind interactions does not read"
                )
        return types

    def typed(self, columns: Columns, types: Mapping[str, str]) -> dict[str, list[Any]]:
        """Ids as words, None where nobody is named; other columns as in a table."""
        ids = {name for name in columns if _is_id(types[name])}
        others = super().typed({n: v for n, v in columns.items() if n not in ids}, types)
        return {
            name: [category_of(value) for value in values] if name in ids else others[name]
            for name, values in columns.items()
        }


def users_and_items(table: Table, target: str = "") -> tuple[str, str]:
    """The one column that names users, and the one that names items; "" where none or many do."""
    return _only(table, target, USERS), _only(table, target, ITEMS)


def _is_id(type_: str | None) -> bool:
    return type_ in USER_AND_ITEM


def _only(table: Table, target: str, names: Sequence[str]) -> str:
    """The one column that is called so and whose values repeat; else nothing."""
    found = [name for name in table.names if name != target and _plain(name) in names]
    if len(found) != 1:
        return ""
    different = {category_of(value) for value in table.columns[found[0]] if not is_empty(value)}
    return found[0] if 2 <= len(different) <= len(table) / LEAST_MEETINGS else ""


def _plain(name: str) -> str:
    """`userId`, `user_id` and `User` are `user`."""
    lowered = name.lower().replace("_", "").replace(" ", "")
    return lowered.removesuffix("id")


def _are_numbers(values: Sequence[Any]) -> bool:
    try:
        for value in values:
            number_of(value)
    except (TypeError, ValueError):
        return False
    return True
