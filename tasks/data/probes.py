"""What each kind of rows can be asked beyond its answers: slices, damage, rows without a part.

Apart from `KINDS`, so that a change here leaves prepared data and trained models as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

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


PROBES: dict[str, Probe] = {"text": TextProbe(), "table": TableProbe()}
"""One for each kind."""
