"""Who was made from whom: models as a tree, over all runs that know of them. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from tasks.artifacts import Artifact

Key = tuple[str, str]
"""A model: its name, and the digest of its float weights. Either may be shared."""


class Member(Artifact):
    """One model, as a run knows it."""

    name: str
    role: str
    model: str
    """Digest of its float weights."""
    parent: str | None
    """Name of the models that taught it, or of the one that it was made from."""
    parents: tuple[str, ...] = ()
    """Digests of their float weights."""
    bundle: str = ""
    """Digest of what was exported from it."""

    @property
    def key(self) -> Key:
        return self.name, self.model

    @property
    def made_from(self) -> list[Key]:
        return [(self.parent, digest) for digest in self.parents] if self.parent else []


class Relative(Artifact):
    """One line of the tree."""

    name: str
    role: str
    model: str
    """Digest of its float weights."""
    depth: int
    """0 of those that nobody is known to have been before."""
    versions: tuple[int, ...]
    """In the registry; several where the same weights were exported anew."""
    standing: str
    """`asked`, `descendant`, `ancestor`, or empty."""


def origins_of(members: Sequence[Member], asked: Key) -> set[str]:
    """Digests of the models that `asked` goes back to, whether `members` hold them or not."""
    by_key = {member.key: member for member in members}
    line = _up(by_key, asked)
    return {model for name, model in line if _is_first(by_key, (name, model))}


def family_of(members: Sequence[Member], asked: Key, versions: Mapping[str, int]) -> list[Relative]:
    """The trees of all that `asked` goes back to, each model once, parents before children.

    `versions` are by digest of the bundle.
    """
    by_key = {member.key: member for member in members}
    unseen = [_unseen(key) for key in _up(by_key, asked) if key not in by_key]
    by_key |= {member.key: member for member in unseen}
    line = _up(by_key, asked)
    first = [key for key in line if not by_key[key].made_from]
    below = {key for key, _ in _tree(by_key, asked, 0, set())} - {asked}
    seen: set[Key] = set()

    def standing(key: Key) -> str:
        if key == asked:
            return "asked"
        return "descendant" if key in below else "ancestor" if key in line else ""

    def numbers(key: Key) -> tuple[int, ...]:
        found = {versions.get(member.bundle) for member in members if member.key == key}
        return tuple(sorted(number for number in found if number is not None))

    return [
        Relative(
            name=key[0],
            role=by_key[key].role,
            model=key[1],
            depth=depth,
            versions=numbers(key),
            standing=standing(key),
        )
        for root in sorted(first, key=lambda key: (by_key[key] in unseen, key))
        for key, depth in _tree(by_key, root, 0, seen)
    ]


def _unseen(key: Key) -> Member:
    """A teacher that taught beside another, by a further seed: it has no run of its own."""
    return Member(name=key[0], role="teacher", model=key[1], parent=None)


def _is_first(by_key: Mapping[Key, Member], key: Key) -> bool:
    return key not in by_key or not by_key[key].made_from


def _up(by_key: Mapping[Key, Member], asked: Key) -> list[Key]:
    """It and all that it goes back to, nearest first; also the first of whom nothing is known."""
    found = [asked]
    for key in found:
        made_from = by_key[key].made_from if key in by_key else []
        found += [parent for parent in made_from if parent not in found]
    return found


def _tree(
    by_key: Mapping[Key, Member], key: Key, depth: int, seen: set[Key]
) -> Iterator[tuple[Key, int]]:
    if key in seen:
        return
    seen.add(key)
    yield key, depth
    for child in sorted(other for other, member in by_key.items() if key in member.made_from):
        yield from _tree(by_key, child, depth + 1, seen)
