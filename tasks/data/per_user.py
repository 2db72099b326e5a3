"""A split by time for each user: what a user did last is what a model must foresee."""

from collections.abc import Sequence

import numpy as np

from tasks.data.config import DataConfig
from tasks.data.digests import content_digest
from tasks.data.given import OPEN, Instants, instants_of
from tasks.data.splitting import SPLITS
from tasks.data.table import Ids, Table

ROUNDING = 1e-9
"""A tenth of ten is one, whatever binary fractions say."""


def sides_of_users(
    config: DataConfig, table: Table, users: Sequence[str | None], keys: Sequence[str], used: Ids
) -> Ids:
    """The given side of each row of the table, as far as the rows in `used` have one.

    `users` and `keys` are those of the used rows. ValueError when no user has enough of them.
    """
    assert config.split.time is not None
    instants = instants_of(config.split.time, table, used)
    shares = (config.split.valid, config.split.test)
    assert isinstance(shares[0], float)
    assert isinstance(shares[1], float)
    found = newest_of_users(instants, users, keys, (shares[0], shares[1]))
    for split, share in zip(SPLITS[1:], shares, strict=True):
        if not (found == SPLITS.index(split)).any():
            raise ValueError(
                f"data.split.time {config.split.time!r}: no user has the "
                f"{int(np.ceil(1 / float(share) - ROUNDING))} rows of which {split} {share} is one"
            )
    sides = np.full(len(table), OPEN)
    sides[used] = found
    return sides


def newest_of_users(
    instants: Instants,
    users: Sequence[str | None],
    keys: Sequence[str],
    shares: tuple[float, float],
) -> Ids:
    """Of each user's n rows the newest n * test, rounded down, are the holdout; the n * valid
    before them choose; the rest, and rows of nobody, train.

    Rows of one instant are told apart by what they say, so their order in the file does not matter.
    """
    names, who = np.unique([user or "" for user in users], return_inverse=True)
    ties = np.array([content_digest(key) for key in keys])
    order = np.lexsort((ties, instants, who))
    counts = np.bincount(who, minlength=len(names))
    ends = counts.cumsum()
    from_end = np.empty(len(who), dtype=np.int64)
    from_end[order] = ends[who[order]] - 1 - np.arange(len(who))
    valid, test = (np.floor(counts * share + ROUNDING).astype(np.int64) for share in shares)
    sides = np.where(from_end < test[who], 2, np.where(from_end < (test + valid)[who], 1, 0))
    return np.where([user is None for user in users], 0, sides).astype(np.int64)
