"""Answers of a bundle that was made of other rows, at the places of these rows' names.

Classes and items are told by their place, and each night's rows have places of their own: a class
that is new or gone moves all behind it. Shapes: N rows, C classes of the dataset, K answered items.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.artifacts import Task

Answers = NDArray[np.float32]
Names = Sequence[str]


def by_name(found: Answers, own: Names, names: Names, task: Task) -> Answers:
    """What a bundle that knows the names `own` said, in the order of `names`; `found` itself where
    nothing moves."""
    if tuple(own) == tuple(names) or task not in MOVED:
        return found
    return MOVED[task](found, own, names)


def moved_classes(found: Answers, own: Names, names: Names) -> Answers:
    """[N, C and more]: 0 for a class that the bundle does not know.

    Those that it alone knows stand behind, with what they were given: so a row adds up to one
    still, and one that was called by such a name is wrong without being taken for another class.
    """
    place = {name: index for index, name in enumerate(names)}
    for name in own:
        place.setdefault(name, len(place))
    moved = np.zeros((len(found), len(place)), dtype=found.dtype)
    moved[:, [place[name] for name in own]] = found
    return moved


def moved_items(found_N2K: Answers, own: Names, names: Names) -> Answers:
    """Places in the catalogue `names`, shares as they were; -1 for an item that is not in it."""
    place = {name: index for index, name in enumerate(names)}
    places = np.array([place.get(name, -1) for name in own])
    before_NK, shares_NK = np.split(found_N2K, 2, axis=1)
    moved_NK = places[before_NK.astype(np.int64)].astype(found_N2K.dtype)
    return np.concatenate([moved_NK, shares_NK], axis=1)


MOVED: dict[Task, Callable[[Answers, Names, Names], Answers]] = {
    "classification": moved_classes,
    "ranking": moved_items,
}
"""By task; numbers and texts have no names."""
