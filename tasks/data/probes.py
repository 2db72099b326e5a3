"""What each kind of rows can be asked beyond its answers: slices, damage, rows without a part.

Apart from `KINDS`, so that a change here leaves prepared data and trained models as they are. A
kind without a probe is divided by its declared columns and its truth, and shown with its mistakes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tasks.data.audio_probe import AudioProbe
from tasks.data.image_probe import ImageProbe
from tasks.data.interactions_probe import InteractionsProbe
from tasks.data.series_probe import SeriesProbe
from tasks.data.table_probe import TableProbe
from tasks.data.text_probe import TextProbe

Columns = Mapping[str, Sequence[Any]]
Types = Mapping[str, str]
Row = Mapping[str, Any]


class Probe(Protocol):
    """What a report on quality asks of a kind of rows; nothing else knows what a row is."""

    def slices(self, columns: Columns, training: Columns, types: Types) -> dict[str, list[str]]:
        """By what suggests itself to be looked at apart, the slice of each row."""

    def damaged(self, columns: Columns, types: Types, seed: int) -> Mapping[str, Columns]:
        """The same rows as a careless world would send them, by what was done to them."""

    def parts(self, row: Row, types: Types) -> Sequence[tuple[str, Row]]:
        """The parts that a row is read in, each with the row that lacks it."""


class NoProbe:
    """A kind of which nothing is known."""

    def slices(self, columns: Columns, training: Columns, types: Types) -> dict[str, list[str]]:
        """None."""
        del columns, training, types
        return {}

    def damaged(self, columns: Columns, types: Types, seed: int) -> dict[str, Columns]:
        """Nothing."""
        del columns, types, seed
        return {}

    def parts(self, row: Row, types: Types) -> list[tuple[str, Row]]:
        """None."""
        del row, types
        return []


PROBES: dict[str, Probe] = {
    "text": TextProbe(),
    "table": TableProbe(),
    "image": ImageProbe(),
    "audio": AudioProbe(),
    "series": SeriesProbe(),
    "interactions": InteractionsProbe(),
}
BOUND_TOGETHER = frozenset({"series"})
"""Kinds whose columns must agree in each row, so that one alone cannot be shuffled."""


def probe_of(kind: str) -> Probe:
    """The kind's probe, or one that asks nothing."""
    return PROBES.get(kind, NoProbe())
