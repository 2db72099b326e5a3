"""Rows without labels, for a teacher to answer: read from a source of their own, or made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from tasks.artifacts import DatasetRef, Split
from tasks.data.arrow_column import appended, taken
from tasks.data.config import DataConfig
from tasks.data.digests import numbered, row_digests, times_before
from tasks.data.kinds import GROUPS_EQUAL_ROWS, KINDS
from tasks.data.made_rows import MAKERS
from tasks.data.snapshot import read_split, split_rows, write_split
from tasks.data.source_table import source_table
from tasks.data.table import Ids
from tasks.packaging.manifest import digest_of_files, write_manifest

FIELD = "compress.distil.unlabelled"
FILE: Split = "train"
"""A folder of them is a dataset's with one split, which has no target."""
SIDES: tuple[Split, ...] = ("train", "valid", "test")
Columns = Mapping[str, Sequence[Any]]


class UnlabelledConfig(BaseModel):
    """Which rows a teacher answers beside the training rows."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    source: DataConfig | None = None
    """Of the project, with the source of these rows in the place of the labelled ones'."""
    most_rows: int | None = None
    """Of that source."""
    made_rows: int = 0
    """Of each training row."""
    seed: int = 0
    """Of what is made."""


def write_unlabelled(
    config: UnlabelledConfig, base: Path, data: Path, dataset: DatasetRef, folder: Path
) -> tuple[str, int, int]:
    """Fill `folder`; its digest, and how many rows were found and made.

    Raises ValueError, one sentence, for a source that cannot be read, and when no row is left.
    """
    parts = []
    if config.source:
        found = found_rows(config.source, base, data, dataset)
        parts.append(_spread(found, config.most_rows))
    if config.made_rows:
        parts.append(made_rows(config, data, dataset, parts))
    columns = {name: appended([part[name] for part in parts]) for name in dataset.inputs}
    ids = np.arange(num_rows(columns))
    folder.mkdir(parents=True, exist_ok=True)
    write_split(folder, FILE, columns, ids, ids)
    digest = digest_of_files(folder, [f"{FILE}.parquet"])
    write_manifest(folder, digest)
    count = num_rows(parts[0]) if config.source else 0
    return digest, count, len(ids) - count


def read_unlabelled(folder: Path, dataset: DatasetRef) -> dict[str, Any]:
    """The input columns of the rows in `folder`."""
    compact = dataset.kind == "table"
    return read_split(folder, FILE, dataset.inputs, "", (), compact=compact).columns


def found_rows(config: DataConfig, base: Path, data: Path, dataset: DatasetRef) -> dict[str, Any]:
    """The rows of a source that can be used, without those that the dataset holds.

    Nor those that are near a held-out one, where the project keeps such rows on one side.
    """
    kind = KINDS[dataset.kind]
    table = source_table(config, base, dataset.inputs, FIELD)
    for name in dataset.inputs:
        table.column(name, FIELD)
    kind.check_inputs(table, dataset.inputs)
    config = config.model_copy(update={"inputs": dataset.inputs})
    opened = kind.opened(table, config).columns
    columns = kind.typed({name: opened[name] for name in dataset.inputs}, dataset.types)
    columns = _usable(columns, dataset)
    if num_rows(columns) and config.split.group_by == "near_duplicate":
        columns = _taken(columns, _far_from_held_out(columns, data, dataset))
    columns = _taken(columns, _new(columns, [_split(data, dataset, s) for s in SIDES], dataset))
    if not num_rows(columns):
        raise ValueError(
            f"{FIELD} {config.source!r}: no row of {len(table)} can be used; the others are empty, "
            "or rows of the dataset"
        )
    return columns


def made_rows(
    config: UnlabelledConfig, data: Path, dataset: DatasetRef, others: Sequence[Columns]
) -> dict[str, Any]:
    """At most so many rows of each training row, none twice and none that is there already; of
    kinds whose equal rows all count, each."""
    training = _split(data, dataset, "train")
    made = MAKERS[dataset.kind](training, config.made_rows, config.seed)
    made = _usable(made, dataset)
    if not KINDS[dataset.kind].drops_equal_rows:
        return made
    known = [*others, *(_split(data, dataset, split) for split in SIDES)]
    return _taken(made, _new(made, known, dataset))


def num_rows(columns: Columns) -> int:
    """Rows that the columns have."""
    return len(next(iter(columns.values()), ()))


def _split(data: Path, dataset: DatasetRef, split: Split) -> Columns:
    return split_rows(data, dataset, split).columns


def _taken(columns: Columns, rows: Ids) -> dict[str, Any]:
    return {name: taken(values, rows) for name, values in columns.items()}


def _spread(columns: Columns, most: int | None) -> dict[str, Any]:
    """At most so many rows, spread evenly."""
    count = num_rows(columns)
    places = np.linspace(0, count - 1, min(most or count, count)).round().astype(np.int64)
    return _taken(columns, places)


def _usable(columns: Columns, dataset: DatasetRef) -> dict[str, Any]:
    """Those in which something stands."""
    reasons = KINDS[dataset.kind].unusable(columns).values()
    return _taken(columns, np.flatnonzero(~np.logical_or.reduce(list(reasons))))


def _new(columns: Columns, known: Sequence[Columns], dataset: DatasetRef) -> Ids:
    """The first of each row that no known one equals.

    Of kinds whose equal rows all count, each but as many as are known.
    """
    kind, count = KINDS[dataset.kind], num_rows(columns)
    if not count:
        return np.arange(0)
    numbers = numbered(np.concatenate([row_digests(kind, each) for each in (*known, columns)]))
    own, known_N = numbers[-count:], np.bincount(numbers[:-count], minlength=numbers.max() + 1)
    before = times_before(own)
    if kind.drops_equal_rows:
        return np.flatnonzero((before == 0) & (known_N[own] == 0))
    return np.flatnonzero(before >= known_N[own])


def _far_from_held_out(columns: Columns, data: Path, dataset: DatasetRef) -> Ids:
    """Rows without a near-copy among validation rows and the holdout."""
    kind, count = KINDS[dataset.kind], num_rows(columns)
    if dataset.kind in GROUPS_EQUAL_ROWS:
        return np.arange(count)
    held_out = [_split(data, dataset, split) for split in SIDES[1:]]
    whole = {name: appended([*(e[name] for e in held_out), columns[name]]) for name in columns}
    groups = kind.near_duplicates(whole)
    return np.flatnonzero(~np.isin(groups[-count:], groups[:-count]))
