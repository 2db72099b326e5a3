"""Which side of the split a row lies on: decided by what its group says, not by where it stands.

Each group has a place between 0 and 1, a hash of its content and the seed. Places below `test` are
the holdout, the next `valid` choose, the rest train. So a row stays on its side when rows are
reordered or added, and the holdout does not move when the share of `valid` does; shares and classes
come out right by the law of large numbers. Only a class that would be absent from a side is helped:
the group of that class that is nearest to the side moves over.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.artifacts import Split
from tasks.data.labels import check_class_sizes
from tasks.data.split_config import SplitConfig
from tasks.data.table import Ids

SPLITS: tuple[Split, ...] = ("train", "valid", "test")
Places = npt.NDArray[np.float64]


def split_rows(
    keys: Sequence[str], groups: Ids, labels: Sequence[str], config: SplitConfig, target: str
) -> Ids:
    """For each row the index of its split in `SPLITS`; a group is never divided.

    `keys` say what each row is, `groups` number the rows that must stay together. Only splits that
    are shares in `config` get rows.
    Raises `ValueError` naming the classes that are too rare to stand on every side.
    """
    intervals = _intervals(config)
    _, groups = np.unique(groups, return_inverse=True)
    classes, codes = np.unique(np.asarray(labels), return_inverse=True)
    members = np.unique(groups * len(classes) + codes)
    group, label = members // len(classes), members % len(classes)
    sizes = Counter({str(classes[code]): int(n) for code, n in enumerate(np.bincount(label))})
    check_class_sizes(sizes, len(intervals), f"data.target {target!r}")
    places = group_places(keys, groups, config.seed)
    sides = _sides(places, intervals)
    _spread_classes(sides, places, (group, label), config)
    return np.asarray(sides[groups], dtype=np.int64)


def group_places(keys: Sequence[str], groups: Ids, seed: int) -> Places:
    """A number in [0, 1) for each group 0, 1, ...: hash of its smallest key digest and `seed`."""
    smallest: dict[int, bytes] = {}
    for key, group in zip(keys, groups.tolist(), strict=True):
        digest = content_digest(key)
        if group not in smallest or digest < smallest[group]:
            smallest[group] = digest
    places = (seeded_place(smallest[group], seed) for group in range(len(smallest)))
    return np.fromiter(places, dtype=np.float64, count=len(smallest))


def content_digest(key: str) -> bytes:
    """A short digest of what a row is."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def seeded_place(digest: bytes, seed: int) -> float:
    """A number in [0, 1), uniform over digests; another seed gives an unrelated one."""
    salted = hashlib.blake2b(digest + str(seed).encode(), digest_size=8)
    return int.from_bytes(salted.digest(), "big") / 2**64


def _intervals(config: SplitConfig) -> dict[int, tuple[float, float]]:
    """The places of each split that takes rows, by its index in `SPLITS`."""
    test = config.test if isinstance(config.test, float) else 0.0
    cut = test + (config.valid if isinstance(config.valid, float) else 0.0)
    found = {0: (cut, 1.0), 1: (test, cut), 2: (0.0, test)}
    return {side: (low, high) for side, (low, high) in found.items() if low < high}


def _sides(places: Places, intervals: dict[int, tuple[float, float]]) -> Ids:
    within = [(low <= places) & (places < high) for low, high in intervals.values()]
    return np.select(within, list(intervals))


def _spread_classes(
    sides: Ids, places: Places, members: tuple[Ids, Ids], config: SplitConfig
) -> None:
    """Move single groups, in place, until every class stands on every side."""
    group, label = members
    intervals = _intervals(config)
    while True:
        counts = np.zeros((len(SPLITS), int(label.max()) + 1), dtype=np.int64)
        np.add.at(counts, (sides[group], label), 1)
        absent = [(s, code) for s, code in np.argwhere(counts == 0) if s in intervals]
        if not len(absent):
            return
        side, code = absent[0]
        # A group may leave only when each of its classes stays behind in another one.
        stuck = np.unique(group[counts[sides[group], label] < 2])
        movable = np.setdiff1d(group[label == code], stuck)
        if not len(movable):
            raise ValueError(
                f"data.split.group_by {config.group_by!r}: the groups are too large or too few to "
                f"give every class a group of its own in {', '.join(SPLITS[s] for s in intervals)}"
            )
        sides[movable[np.argmin(_distances(places[movable], intervals[int(side)]))]] = side


def _distances(places: Places, interval: tuple[float, float]) -> Places:
    """How far each place lies outside an interval."""
    low, high = interval
    return np.maximum(np.maximum(low - places, places - high), 0.0)
