"""A dataset folder on disk: one Parquet file a split, written the same way every time.

Columns are the inputs, what is kept beside them, the target as a string, `row_id` (position in the
source) `group` (the smallest `row_id` of the rows that must stay together) and, where the project
names weights, `row_weight`. Rows stand in the order of `row_id`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.artifacts import DatasetRef, Split
from tasks.data.arrow_column import (
    PIECE,
    ArrowColumn,
    cell_type,
    piece_of,
    taken,
    written,
)
from tasks.data.weights import combined

Ids = npt.NDArray[np.int64]
Labels = npt.NDArray[Any]
"""Positions in the classes, or of a regression the numbers themselves."""
WEIGHT = "row_weight"
PART_ROWS = 1000
"""Of inputs that are looked at and not kept: pictures of 224 pixels are 150 MB."""
RESERVED = ("row_id", "group", WEIGHT)
"""Columns of ours, which no input or target may be called."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled rows of one split: the inputs by column, and each row's class or number."""

    columns: dict[str, list[Any]]
    labels: Labels
    row_ids: Ids
    weights: npt.NDArray[np.float64] | None = None
    """How much each row counts in training, that of its class included; None: all alike."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Ids) -> "Rows":
        """The rows at `indices`, in that order."""
        columns = {name: taken(values, indices) for name, values in self.columns.items()}
        weights = None if self.weights is None else self.weights[indices]
        return Rows(columns, self.labels[indices], self.row_ids[indices], weights)

    def spread(self, most: int) -> "Rows":
        """The same so many rows every time, spread evenly; all where there are fewer."""
        places = np.linspace(0, len(self) - 1, min(most, len(self))).round()
        return self.take(places.astype(np.int64))


def read_split(
    folder: Path,
    split: Split,
    inputs: Sequence[str],
    target: str,
    classes: Sequence[str],
    *,
    compact: bool = False,
) -> Rows:
    """One split of the dataset in `folder`; labels are positions in `classes`, or numbers;
    without a target zeros. `compact` columns stay as Arrow has them."""
    named = [*inputs, target, "row_id"] if target else [*inputs, "row_id"]
    table = pq.read_table(folder / f"{split}.parquet", columns=named)
    labels: Labels
    if not target:
        labels = np.zeros(len(table), dtype=np.int64)
    elif classes:
        places, names = ArrowColumn(table.column(target)).codes()
        where = f"{split}.parquet: {target}"
        labels = class_indices(names[: int(places.max()) + 1], classes, where)[places]
    else:
        labels = np.asarray(table.column(target).to_numpy(), dtype=np.float64)
    columns: dict[str, Any] = {
        name: ArrowColumn(table.column(name)) if compact else table.column(name).to_pylist()
        for name in inputs
    }
    return Rows(columns, labels, np.asarray(table.column("row_id").to_numpy(), dtype=np.int64))


def split_rows(folder: Path, dataset: DatasetRef, split: Split) -> Rows:
    """One split of the dataset whose snapshot is in `folder`."""
    names = (dataset.inputs, dataset.target, dataset.classes)
    rows = read_split(folder, split, *names, compact=dataset.kind == "table")
    own = None
    if dataset.weighted:
        read = pq.read_table(folder / f"{split}.parquet", columns=[WEIGHT])
        own = np.asarray(read.column(WEIGHT).to_numpy(), dtype=np.float64)
    of_class = [dataset.class_weights[name] for name in dataset.classes if dataset.class_weights]
    return replace(rows, weights=combined(own, rows.labels, of_class))


def input_parts(folder: Path, dataset: DatasetRef, split: Split) -> Iterator[dict[str, Any]]:
    """The inputs of one split, `PART_ROWS` at a time."""
    with pq.ParquetFile(folder / f"{split}.parquet", memory_map=True) as file:
        for batch in file.iter_batches(PART_ROWS, columns=list(dataset.inputs)):
            part = pa.table(batch)
            if dataset.kind == "table":
                yield {name: ArrowColumn(part.column(name)) for name in dataset.inputs}
            else:
                yield {name: part.column(name).to_pylist() for name in dataset.inputs}


def write_split(
    folder: Path,
    split: Split,
    columns: Mapping[str, Sequence[Any]],
    row_ids: Ids,
    groups: Ids,
    chosen: Ids | None = None,
) -> None:
    """Write the `chosen` rows, or all, as `<split>.parquet` in the order of `row_id`: equal rows
    give equal bytes."""
    chosen = np.arange(len(row_ids)) if chosen is None else chosen
    order = chosen[np.argsort(row_ids[chosen], kind="stable")]
    whole = {name: written(values, order) for name, values in columns.items()}
    whole |= {name: pa.array(ids[order]) for name, ids in (("row_id", row_ids), ("group", groups))}
    schema = pa.schema([(name, cell_type(values)) for name, values in whole.items()])
    # Every setting that decides bytes is written down; a default may change with the library.
    writer = pq.ParquetWriter(
        folder / f"{split}.parquet",
        schema,
        version="2.6",
        compression="zstd",
        compression_level=3,
        use_dictionary=False,
        data_page_version="1.0",
        write_statistics=True,
        store_schema=False,
    )
    with writer:
        for start in range(0, max(1, len(order)), PIECE):
            arrays = [piece_of(values, order, start) for values in whole.values()]
            writer.write_table(pa.table(arrays, schema=schema), row_group_size=PIECE)


def class_indices(values: Sequence[str], classes: Sequence[str], where: str) -> Ids:
    """Position of each value in `classes`; an unknown one is a ValueError naming `where`."""
    position = {name: index for index, name in enumerate(classes)}
    unknown = next((value for value in values if value not in position), None)
    if unknown is not None:
        raise ValueError(f"{where}: unknown class {unknown!r}, allowed: {', '.join(classes)}")
    return np.fromiter((position[value] for value in values), dtype=np.int64, count=len(values))


def sample_rows(rows: Rows, count: int, seed: int) -> Rows:
    """`count` of the rows in their old order, each class in its share; all when fewer."""
    if count >= len(rows):
        return rows
    rng = np.random.default_rng(seed)
    quotas = class_quotas(np.bincount(rows.labels).astype(np.int64), count)
    picked = [
        rng.permutation(np.flatnonzero(rows.labels == label))[:quota]
        for label, quota in enumerate(quotas)
    ]
    return rows.take(np.sort(np.concatenate(picked)))


def class_quotas(sizes: Ids, count: int, least: int = 1) -> Ids:
    """How many rows each class gives to a sample of `count`: largest remainders, none left out.

    A class gives at least `least` rows, or all that it has, as long as `count` allows it.
    """
    count = min(count, int(sizes.sum()))
    exact = sizes * (count / max(1, int(sizes.sum())))
    quotas: Ids = np.maximum(np.floor(exact).astype(np.int64), np.minimum(sizes, least))
    while quotas.sum() < count:
        # The class furthest below its exact share; the first one of equals.
        quotas[int(np.argmin(np.where(quotas < sizes, quotas - exact, np.inf)))] += 1
    while quotas.sum() > count:
        quotas[int(np.argmax(quotas))] -= 1
    return quotas
