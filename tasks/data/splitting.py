"""Which side of the split a row lies on: decided by what its group says, not by where it stands.

Each group has a place between 0 and 1, a hash of its content and the seed. Places below `test` are
the holdout, the next `valid` choose, the rest train. So a row stays on its side when rows are
reordered or added, and the holdout does not move when the share of `valid` does; shares and classes
come out right by the law of large numbers. Only a class that would be absent from a side is helped:
the group of that class that is nearest to the side moves over.

With `stratify` a group's place is where it stands among the groups of its class instead, so that
shares come out right in each class, and not by chance.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tasks.artifacts import Split
from tasks.data.digests import Digests, Places, seeded_places, smallest
from tasks.data.labels import check_class_sizes
from tasks.data.split_config import SplitConfig
from tasks.data.table import Ids, distinct

SPLITS: tuple[Split, ...] = ("train", "valid", "test")


def split_rows(
    digests: Digests, groups: Ids, labels: Sequence[str], config: SplitConfig, target: str
) -> Ids:
    """For each row the index of its split in `SPLITS`; a group is never divided.

    `digests` say what each row is, `groups` number the rows that must stay together. Only splits
    that are shares in `config` get rows.
    Raises `ValueError` naming the classes that are too rare to stand on every side.
    """
    intervals = _intervals(config)
    _, groups = np.unique(groups, return_inverse=True)
    classes, codes = coded(labels)
    members = distinct(groups * len(classes) + codes)
    group, label = members // len(classes), members % len(classes)
    sizes = Counter({classes[code]: int(n) for code, n in enumerate(np.bincount(label))})
    check_class_sizes(sizes, len(intervals), f"data.target {target!r}")
    places = group_places(digests, groups, config.seed)
    if config.stratify:
        places = _places_in_class(places, groups, codes)
    sides = _sides(places, intervals)
    _spread_classes(sides, places, (group, label), config)
    return np.asarray(sides[groups], dtype=np.int64)


def group_places(digests: Digests, groups: Ids, seed: int) -> Places:
    """A number in [0, 1) for each group 0, 1, ...: hash of its smallest digest and `seed`."""
    return seeded_places(smallest(digests, groups), seed)


def _places_in_class(places: Places, groups: Ids, codes: Ids) -> Places:
    """For each group the share of its class's rows before it, in the order of the hashes.

    The class of a group is the one that most of its rows have. Half of the group's own rows count.
    """
    counts = np.zeros((len(places), int(codes.max()) + 1), dtype=np.int64)
    np.add.at(counts, (groups, codes), 1)
    found, sizes, classes = np.empty(len(places)), counts.sum(axis=1), counts.argmax(axis=1)
    for code in np.unique(classes):
        of_class = np.flatnonzero(classes == code)
        ordered = of_class[np.argsort(places[of_class], kind="stable")]
        middles = sizes[ordered].cumsum() - sizes[ordered] / 2
        found[ordered] = middles / sizes[ordered].sum()
    return found


def coded(labels: Sequence[str]) -> tuple[list[str], Ids]:
    """The different labels, sorted, and the place of each row's among them."""
    place = {name: index for index, name in enumerate(sorted(set(labels)))}
    codes = np.fromiter((place[label] for label in labels), np.int64, len(labels))
    return list(place), codes


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
