"""Who was made from whom: the models of one run as a tree. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from tasks.artifacts import Artifact


class Member(Artifact):
    """One model, as a run knows it."""

    name: str
    role: str
    parent: str | None
    """Name of the model that taught it, or that it was made from."""
    bundle: str = ""
    """Digest of what was exported from it."""


class Relative(Artifact):
    """One line of the tree."""

    name: str
    role: str
    depth: int
    """0 of whom nobody was made from in this run."""
    version: int | None
    """In the registry, where it was registered."""
    standing: str
    """`asked`, `descendant`, `ancestor`, or empty."""


def family_of(members: Sequence[Member], asked: str, versions: Mapping[str, int]) -> list[Relative]:
    """The tree that `asked`, a member's name, belongs to, parents before children.

    `versions` are by digest of the bundle.
    """
    by_name = {member.name: member for member in members}
    ancestors = list(_ancestors(by_name, asked))
    root = ancestors[-1] if ancestors else asked
    below = {name for name, _ in _tree(members, asked, 0)} - {asked}

    def standing(name: str) -> str:
        if name == asked:
            return "asked"
        return "descendant" if name in below else "ancestor" if name in ancestors else ""

    return [
        Relative(
            name=name,
            role=by_name[name].role,
            depth=depth,
            version=versions.get(by_name[name].bundle),
            standing=standing(name),
        )
        for name, depth in _tree(members, root, 0)
    ]


def _ancestors(by_name: Mapping[str, Member], name: str) -> Iterator[str]:
    """Nearest first."""
    parent = by_name[name].parent
    while parent is not None and parent in by_name:
        yield parent
        parent = by_name[parent].parent


def _tree(members: Sequence[Member], name: str, depth: int) -> Iterator[tuple[str, int]]:
    yield name, depth
    for child in sorted(m.name for m in members if m.parent == name):
        yield from _tree(members, child, depth + 1)
