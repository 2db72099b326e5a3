"""Which rows of users and items are events to learn a ranking from."""

from collections.abc import Sequence

import numpy as np

from tasks.data.interactions_config import InteractionsConfig
from tasks.data.table import Ids, Mask, Table
from tasks.packaging.predictor.table import number_of

LOWER = "rated lower than an event"
MET = "met before, on an earlier side"


def rated_lower(config: InteractionsConfig, table: Table) -> dict[str, Mask]:
    """Rows whose rating is below `at_least`, or missing, under that reason; nothing without one."""
    if config.rating is None:
        return {}
    lower = np.zeros(len(table), dtype=np.bool_)
    for row, value in enumerate(table.column(config.rating, "data.interactions.rating")):
        try:
            lower[row] = not number_of(value) >= (config.at_least or 0.0)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{table.where(row)}: data.interactions.rating {config.rating!r} is {value!r:.40}, "
                "a number was expected"
            ) from error
    return {LOWER: lower}


def met_before(users: Sequence[str | None], items: Sequence[str], given: Ids) -> Mask:
    """Rows whose user met the item on an earlier given side: nothing is left to foresee."""
    first: dict[tuple[str | None, str], int] = {}
    pairs = list(zip(users, items, strict=True))
    for pair, side in zip(pairs, given.tolist(), strict=True):
        first[pair] = min(side, first.get(pair, side))
    earliest = np.fromiter((first[pair] for pair in pairs), dtype=np.int64, count=len(pairs))
    return np.asarray(given > earliest, dtype=np.bool_)
