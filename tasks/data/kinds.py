"""The kinds of rows that there are. Nothing else knows what a row is made of."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tasks.data.audio import AudioKind
from tasks.data.config import DataConfig
from tasks.data.image import ImageKind
from tasks.data.interactions import InteractionsKind
from tasks.data.series import SeriesKind
from tasks.data.table import Ids, Mask, Table
from tasks.data.tabular import TableKind
from tasks.data.text import TextKind


class Kind(Protocol):
    """What reading, checking and splitting ask of a kind of rows."""

    name: str
    drops_equal_rows: bool
    """Whether rows that ask the same question are kept once, and not at all if they disagree."""
    why: str
    """Why `init` takes a file for this kind."""
    why_inputs: str

    def choose_inputs(self, table: Table, target: str) -> tuple[str, ...]:
        """The columns to predict from, when the project names none."""

    def check_inputs(self, table: Table, inputs: Sequence[str]) -> None:
        """Raise ValueError when these columns cannot be inputs of this kind."""

    def opened(self, table: Table, config: DataConfig) -> Table:
        """The table with the files that its cells name read in, where they name files."""

    def types(
        self, columns: Mapping[str, Sequence[Any]], given: Mapping[str, str]
    ) -> dict[str, str]:
        """The type of each column, where columns have types."""

    def typed(
        self, columns: Mapping[str, Sequence[Any]], types: Mapping[str, str]
    ) -> dict[str, list[Any]]:
        """The cells as the snapshot keeps them."""

    def unusable(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Mask]:
        """Rows to drop, by reason."""

    def keys(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        """What a row is, as a string: rows with equal keys ask the same question."""

    def near_duplicates(self, columns: Mapping[str, Sequence[Any]]) -> Ids:
        """A group number for each row; near-copies share one."""

    def figures(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Numbers for the data report that only this kind has."""


KINDS: dict[str, Kind] = {
    "audio": AudioKind(),
    "image": ImageKind(),
    "series": SeriesKind(),
    "interactions": InteractionsKind(),
    "text": TextKind(),
    "table": TableKind(),
}
"""In the order in which `init` tries them: the surest signs first."""
GROUPS_EQUAL_ROWS = ("table", "series")
"""Kinds whose rows are near-duplicates when they are equal, and only then."""
