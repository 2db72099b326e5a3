"""Encoder of tables that hold free text beside numbers and categories."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .table import TableRows, is_empty
from .text import HashedNgrams

MixedRow = tuple[np.ndarray, np.ndarray]


class TableWithText:
    """Numbers and ids as of any table, and the n-grams of all text columns as one bag."""

    batch_rows = 64
    ragged_axes: tuple[int, ...] = (1,)
    ragged_names: tuple[str, ...] = HashedNgrams.names

    def __init__(self, table: TableRows, text: HashedNgrams) -> None:
        self._table, self._text = table, text
        self.names = (*table.names, *text.names)

    @classmethod
    def load(cls, config: Mapping[str, Any], folder: Path) -> "TableWithText":
        """From the configurations of both parts; no file is read from `folder`."""
        table = TableRows.load(config["table"], folder)
        return cls(table, HashedNgrams.load(config["text"], folder))

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> list[MixedRow]:
        """Table part and n-grams of each row; a missing text is an empty one."""
        texts = {
            name: ["" if is_empty(value) else value for value in columns[name]]
            for name in self._text.columns
            if name in columns
        }
        return list(zip(self._table.rows(columns), self._text.rows(texts), strict=True))

    def length(self, row: MixedRow) -> int:
        """N-grams of one row."""
        return len(row[1])

    def batch(self, rows: Sequence[MixedRow]) -> dict[str, np.ndarray]:
        """The tensors of both parts."""
        tables, texts = zip(*rows, strict=True)
        return self._table.batch(np.stack(tables)) | self._text.batch(texts)
