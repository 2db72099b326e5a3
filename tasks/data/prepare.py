"""From a file of labelled rows to a checked, split dataset and its report; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.arrow_column import taken
from tasks.data.beside import beside_of, types_beside
from tasks.data.checks import check_labels, check_table
from tasks.data.config import DataConfig
from tasks.data.digests import Digests, digests_of, numbered, row_digests, seeded_places
from tasks.data.events import MET, met_before, rated_lower
from tasks.data.given import LEAK, draw_open_sides, given_sides, leaking_rows, read_sides
from tasks.data.inputs import Findings, with_inputs, without_leaks
from tasks.data.kinds import GROUPS_EQUAL_ROWS, KINDS, Kind
from tasks.data.labels import repeated_rows
from tasks.data.per_user import sides_of_users
from tasks.data.snapshot import class_quotas
from tasks.data.splitting import SPLITS, coded
from tasks.data.table import Ids, Mask, Table, is_missing
from tasks.data.target import TARGETS
from tasks.data.weights import class_weights_of, read_weights

GROUP_FIELD = "data.split.group_by (near_duplicate, null or a column)"
LEAST_SAMPLED = 10
"""Rows that a sample takes of a rare class, if it has them: enough to stand on every side."""


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Rows that are fit to be learned from, and what became of the others."""

    columns: dict[str, list[Any]]
    """The inputs, and what is kept beside them."""
    labels: list[Any]
    """Names of classes; of a regression, numbers."""
    row_ids: Ids
    """Position in the source."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows by the reason why they went."""
    weights: NDArray[np.float64] | None = None
    """How much each row counts in training; None when all count alike."""
    grouping: Any = None
    """Cells of the column to group by, as they were read, if there is one."""

    def __len__(self) -> int:
        return len(self.labels)

    def without(self, reasons: Mapping[str, Mask]) -> "LabelledRows":
        """The rows to which no reason applies; each dropped row counts for its first reason."""
        gone = np.zeros(len(self), dtype=np.bool_)
        dropped = dict(self.dropped)
        for reason, mask in reasons.items():
            dropped[reason] = dropped.get(reason, 0) + int((mask & ~gone).sum())
            gone |= mask
        kept = np.flatnonzero(~gone)
        if len(kept) == len(self):
            return replace(self, dropped=dropped)
        columns = {name: taken(values, kept) for name, values in self.columns.items()}
        labels = [self.labels[i] for i in kept]
        weights = None if self.weights is None else self.weights[kept]
        grouping = None if self.grouping is None else taken(self.grouping, kept)
        return LabelledRows(columns, labels, self.row_ids[kept], dropped, weights, grouping)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A dataset in memory: rows, their groups and their sides."""

    config: DataConfig
    """With the inputs filled in."""
    table: Table
    findings: Findings
    """What was seen of a table's columns."""
    types: dict[str, str]
    """Of a table's inputs."""
    beside_types: dict[str, str]
    """Of what is kept beside the inputs."""
    scaling: dict[str, str]
    """Of a table's numbers that are not learned as standard scores."""
    class_weights: dict[str, float]
    """How much a row of each class counts in training; empty when all count alike."""
    rows: LabelledRows
    classes: tuple[str, ...]
    questions: Ids
    """A number for what each row asks: equal rows share one."""
    groups: Ids
    """For each row the smallest `row_id` of its group."""
    sides: Ids
    """For each row the index of its split in `SPLITS`."""
    repeated: int
    contradicted: int

    @property
    def inputs(self) -> dict[str, list[Any]]:
        """The columns to predict from."""
        return {name: self.rows.columns[name] for name in self.config.inputs}

    @property
    def kept(self) -> dict[str, list[Any]]:
        """The columns that a snapshot holds: inputs, and what is kept beside them."""
        return self.inputs | {name: self.rows.columns[name] for name in self.config.beside}


def prepare_rows(config: DataConfig, base: Path) -> Prepared:
    """Read, check, clean, sample, group and split the rows that `config` names.

    Raises `ValueError`, one sentence with place, value and what was allowed, for bad data.
    """
    kind = KINDS[config.kind]
    table, by_file = read_sides(config, base, _wanted(config))
    check_table(config.checks, table)
    asked, (config, findings) = config, with_inputs(config, table, kind)
    table = kind.opened(table, config)
    types = kind.types({n: table.columns[n] for n in config.inputs}, config.given_types)
    beside = types_beside(table, config)
    rows = _usable_rows(config, table, kind, (types, beside))
    # What was read of a large table has room no longer than it is needed.
    table = table.without_compact((config.target, str(config.split.column), str(config.split.time)))
    pa.default_memory_pool().release_unused()
    labelled = (rows.columns, rows.labels)
    config, findings = without_leaks(asked, config, types, labelled, findings)
    beside |= {name: types[name] for name in config.beside if name in types}
    types = {name: type_ for name, type_ in types.items() if name in config.inputs}
    given = _given(config, table, by_file, rows)
    digests = row_digests(kind, {name: rows.columns[name] for name in config.inputs})
    questions = numbered(digests)
    repeated = len(rows) - int(questions.max()) - 1
    reasons, contradicted = _repeats(config, questions, rows, given[rows.row_ids])
    rows, digests = _kept(rows.without(reasons), rows, digests)
    _check_some_are_left(rows, table)
    classes = TARGETS[config.task].classes(rows.labels, config, table.path.name)
    rows, digests = _kept(_sampled(rows, kind, given, config), rows, digests)
    questions = numbered(digests)
    groups, names = _groups(config, rows, questions, digests)
    strata = TARGETS[config.task].strata(rows.labels)
    sides = draw_open_sides(names, groups, strata, given[rows.row_ids], config)
    return Prepared(
        config=config,
        table=table,
        findings=findings,
        types=types,
        beside_types=beside,
        scaling=config.table.scaling_of(types),
        class_weights=class_weights_of(config.class_weights, _training(rows, sides), classes),
        rows=rows,
        classes=classes,
        questions=questions,
        groups=_named(groups, rows),
        sides=sides,
        repeated=repeated,
        contradicted=contradicted,
    )


def _given(config: DataConfig, table: Table, by_file: Ids, rows: LabelledRows) -> Ids:
    """The given side of each row of the table, as far as more than chance decides."""
    if not (config.interactions and config.split.time):
        return given_sides(config.split, table, by_file, rows.row_ids)
    keys = KINDS[config.kind].keys({name: rows.columns[name] for name in config.inputs})
    pairs = [f"{key} {label}" for key, label in zip(keys, rows.labels, strict=True)]
    users = rows.columns[config.interactions.user]
    return sides_of_users(config, table, users, pairs, rows.row_ids)


def _wanted(config: DataConfig) -> Sequence[str]:
    """The columns that are needed; none when all are."""
    split = config.split
    fresh = config.checks.fresh.column if config.checks.fresh else None
    rating = config.interactions.rating if config.interactions else None
    target, weight, time = config.target, config.weight, config.time
    also = (split.group_by, split.column, split.time, fresh, rating, target, weight, time)
    named = [*config.beside, *(name for name in also if name)]
    return [*config.inputs, *named, *config.checks.columns] if config.inputs else ()


def _repeats(
    config: DataConfig, questions: Ids, rows: LabelledRows, given: Ids
) -> tuple[dict[str, Mask], int]:
    """Rows to drop because others ask the same, by reason, and how many inputs disagree."""
    if config.task == "ranking" and config.interactions:
        users = rows.columns[config.interactions.user]
        return {MET: met_before(users, rows.labels, given)}, 0
    on_sides = questions * (len(SPLITS) + 1) + given + 1
    on_sides = np.unique(on_sides, return_inverse=True)[1].astype(np.int64)
    repeats, contradicts, contradicted = repeated_rows(on_sides, rows.labels)
    if not KINDS[config.kind].drops_equal_rows:
        return {}, contradicted
    reasons = {"exact duplicate": repeats}
    if TARGETS[config.task].one_answer:  # two numbers for one text are no contradiction
        reasons["conflicting labels"] = contradicts
    leaks = leaking_rows(questions, given)
    return ({LEAK: leaks, **reasons} if leaks.any() else reasons), contradicted


def _usable_rows(
    config: DataConfig, table: Table, kind: Kind, types: tuple[Mapping[str, str], Mapping[str, str]]
) -> LabelledRows:
    """Rows with a label; `types` are those of the inputs and of what is kept beside them."""
    labels, unlabelled = TARGETS[config.task].read(table, config)
    check_labels(config.checks, table, config.target, labels, unlabelled)
    columns = kind.typed({name: table.columns[name] for name in config.inputs}, types[0])
    reasons = {"missing target": unlabelled, **kind.unusable(columns)}
    if config.interactions:
        reasons |= rated_lower(config.interactions, table)
    by = config.split.group_by
    grouping = table.column(by, GROUP_FIELD) if by and by != "near_duplicate" else None
    columns = {**beside_of(table, types[1]), **columns}
    weights = read_weights(table, config.weight) if config.weight else None
    if weights is not None:
        reasons["weight 0"] = weights == 0
    ids = np.arange(len(table))
    rows = LabelledRows(columns, labels, ids, weights=weights, grouping=grouping).without(reasons)
    _check_some_are_left(rows, table)
    return rows


def _check_some_are_left(rows: LabelledRows, table: Table) -> None:
    if not len(rows):
        why = ", ".join(f"{reason} {count}" for reason, count in rows.dropped.items() if count)
        raise ValueError(f"{table.path.name}: no row of {len(table)} can be used ({why})")


def _training(rows: LabelledRows, sides: Ids) -> list[Any]:
    return [rows.labels[row] for row in np.flatnonzero(sides == SPLITS.index("train"))]


def _kept(
    rows: LabelledRows, before: LabelledRows, digests: Digests
) -> tuple[LabelledRows, Digests]:
    """The rows that are left of those `before`, and their digests."""
    if len(rows) == len(before):
        return rows, digests
    places = np.searchsorted(before.row_ids, rows.row_ids)  # both ascend
    return rows, digests[places]


def _sampled(rows: LabelledRows, kind: Kind, given: Ids, config: DataConfig) -> LabelledRows:
    """At most `max_rows`, each class of each given side in its share.

    Chosen by content: order does not matter.
    """
    if config.max_rows is None or config.max_rows >= len(rows):
        return rows
    strata = TARGETS[config.task].strata(rows.labels)
    classes, labels = coded(strata)
    labels = np.unique(given[rows.row_ids] * len(classes) + labels, return_inverse=True)[1]
    quotas = class_quotas(np.bincount(labels), config.max_rows, LEAST_SAMPLED)
    seed = config.split.seed
    inputs = {name: rows.columns[name] for name in config.inputs}
    places = seeded_places(row_digests(kind, inputs, "sample "), seed)
    order = np.lexsort((places, labels))
    starts = np.searchsorted(labels[order], np.arange(len(quotas)))
    spare = np.ones(len(rows), dtype=np.bool_)
    for start, quota in zip(starts, quotas, strict=True):
        spare[order[start : start + quota]] = False
    return rows.without({"not sampled": spare})


def _groups(
    config: DataConfig, rows: LabelledRows, questions: Ids, digests: Digests
) -> tuple[Ids, Digests]:
    """A group number for each row, and for each row the digest that places its group."""
    kind, grouping = KINDS[config.kind], config.split.group_by
    inputs = {name: rows.columns[name] for name in config.inputs}
    if grouping == "near_duplicate":
        alike = config.kind in GROUPS_EQUAL_ROWS
        return questions if alike else kind.near_duplicates(inputs), digests
    if grouping is None:
        return np.arange(len(rows)), digests
    # A row without a value stands alone.
    values = rows.grouping
    found = digests_of("" if value is None else f"group {value}" for value in values)
    alone = [row for row, value in enumerate(values) if is_missing(value) or value == ""]
    if alone:
        own = {name: taken(column, np.asarray(alone)) for name, column in inputs.items()}
        found[alone] = row_digests(kind, own, "row ")
    return numbered(found), found


def _named(groups: Ids, rows: LabelledRows) -> Ids:
    """Each group by the smallest `row_id` in it."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(rows.row_ids[first][inverse], dtype=np.int64)
