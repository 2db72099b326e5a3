"""Columns that are kept beside the inputs and never learned from, to divide the holdout by."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tasks.artifacts import Split
from tasks.data.config import DataConfig
from tasks.data.slicing import sliced_by_value
from tasks.data.table import Table
from tasks.data.tabular import TableKind, type_of

FIELD = "evaluate.slices"


def types_beside(table: Table, config: DataConfig) -> dict[str, str]:
    """Types of the columns of `data.beside` that are no inputs.

    Raises ValueError for a column that is not there.
    """
    names = [name for name in config.beside if name not in config.inputs]
    cells = {name: table.column(name, FIELD) for name in names}
    return {name: config.columns.get(name) or type_of(cells[name]) for name in names}


def beside_of(table: Table, types: Mapping[str, str]) -> dict[str, Any]:
    """Cells of the columns of these types, as values of them."""
    return TableKind().typed({name: table.columns[name] for name in types}, types)


def declared_slices(data: Path, split: Split, names: Sequence[str]) -> dict[str, list[str]]:
    """By each of these columns of a snapshot, the slice of each row of a split."""
    rows, training = (
        pq.read_table(data / f"{side}.parquet", columns=list(names)).to_pydict()
        for side in (split, "train")
    )
    return {name: sliced_by_value(rows[name], training[name]) for name in names}
