"""What kinds whose rows are one file each have in common: one column, no types, files that may be
damaged.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasks.data.files import Suffixes
from tasks.data.table import Mask, Table, is_missing, shortened

Columns = Mapping[str, Sequence[Any]]


class FileKind:
    """Rows with one file each; a kind names itself, its files, and how it knows a cell of them."""

    name: str
    suffixes: Suffixes
    why: str
    drops_equal_rows = True
    why_inputs = "the column of files"

    def __init_subclass__(cls) -> None:
        cls.why = f"files that end in {', '.join(cls.suffixes)}"

    def is_one(self, cell: Any) -> bool:
        """Whether a cell is such a file: its name, its bytes or its content."""
        raise NotImplementedError

    def choose_inputs(self, table: Table, target: str) -> tuple[str, ...]:
        """The first column of files; ValueError when there is none."""
        for name in table.names:
            known = [value for value in table.columns[name] if not is_missing(value)]
            if name != target and known and all(map(self.is_one, known)):
                return (name,)
        raise ValueError(
            f"data.inputs: {table.path.name} has no column of {self.why} "
            f"(columns: {shortened(table.names)})"
        )

    def check_inputs(self, table: Table, inputs: Sequence[str]) -> None:
        """Pass when `inputs` is one column; what its cells hold is seen when they are opened."""
        del table
        if len(inputs) != 1:
            raise ValueError(
                f"data.inputs has {len(inputs)} columns, kind {self.name} takes exactly one"
            )

    def types(self, columns: Columns, given: Mapping[str, str]) -> dict[str, str]:
        """None: a file is a file. ValueError when the project gives types."""
        del columns
        if given:
            raise ValueError(
                f"data.columns {', '.join(given)}: kind {self.name} has no types of columns"
            )
        return {}

    def typed(self, columns: Columns, types: Mapping[str, str]) -> dict[str, list[Any]]:
        """The files as they were opened."""
        del types
        return {name: list(values) for name, values in columns.items()}

    def unusable(self, columns: Columns) -> dict[str, Mask]:
        """Rows to drop, by reason: those whose file could not be read."""
        (cells,) = columns.values()
        gone = (cell is None for cell in cells)
        return {"corrupt file": np.fromiter(gone, dtype=np.bool_, count=len(cells))}

    def keys(self, columns: Columns) -> list[str]:
        """What a row is, as a string: equal content asks the same question."""
        (cells,) = columns.values()
        return list(cells)
