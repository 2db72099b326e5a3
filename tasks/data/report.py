"""The data report: plain figures about what was read, what was dropped and how it was split."""

from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

import numpy as np

from tasks.data.arrow_column import taken
from tasks.data.config import DataConfig
from tasks.data.drift import Drift, drift_sentences
from tasks.data.given import LEAK
from tasks.data.kinds import KINDS
from tasks.data.prepare import Prepared
from tasks.data.splitting import SPLITS
from tasks.data.table import Ids, distinct
from tasks.data.target import TARGETS

FORMAT = 1
NO_DRIFT: Mapping[str, Drift] = MappingProxyType({})
"""Of a first snapshot."""


def data_report(prepared: Prepared, drift: Mapping[str, Drift] = NO_DRIFT) -> dict[str, Any]:
    """Figures of one dataset, ready for JSON; the same data gives the same report."""
    config, rows = prepared.config, prepared.rows
    return {
        "format": FORMAT,
        "source": {"name": prepared.table.path.name, **prepared.table.facts},
        "kind": config.kind,
        "inputs": list(config.inputs),
        "types": prepared.types,
        "left_out": prepared.findings.left_out,
        "alone": prepared.findings.alone,
        "target": config.target,
        "classes": list(prepared.classes),
        "weights": {"column": config.weight, "classes": prepared.class_weights},
        "rows": {"read": len(prepared.table), "kept": len(rows), "dropped": rows.dropped},
        "duplicates": {
            "rows_that_repeat_another": prepared.repeated,
            "inputs_with_several_labels": prepared.contradicted,
            "treatment": _treatment(config),
        },
        "groups": _group_figures(prepared.groups, str(config.split.group_by)),
        "split_given_by": _given_by(prepared),
        "splits": {split: _split_figures(prepared, split) for split in SPLITS},
        "leakage": leakage(prepared),
        "drift": {name: found._asdict() for name, found in drift.items()},
        "warnings": warnings_of(prepared, drift),
        config.kind: {
            split: KINDS[config.kind].figures(_inputs_of(prepared, side))
            for side, split in enumerate(SPLITS)
        },
    }


def leakage(prepared: Prepared) -> dict[str, int]:
    """Groups and inputs that stand on more than one side; zeros, unless the split was given."""
    if prepared.config.task == "ranking":  # every side asks of the same users
        return {"groups_in_two_splits": 0, "inputs_in_two_splits": 0}
    sides = prepared.sides
    figures = {
        "groups_in_two_splits": _shared(prepared.groups, sides),
        "inputs_in_two_splits": _shared(prepared.questions, sides),
    }
    given = prepared.config.split.is_given
    equal_rows_may = not KINDS[prepared.config.kind].drops_equal_rows
    equal_rows_may |= not TARGETS[prepared.config.task].one_answer
    assert given or not figures["groups_in_two_splits"], f"the split leaks: {figures}"
    assert equal_rows_may or not figures["inputs_in_two_splits"], f"the split leaks: {figures}"
    return figures


def warnings_of(prepared: Prepared, drift: Mapping[str, Drift] = NO_DRIFT) -> list[str]:
    """What a person should know before training on these rows, a sentence each."""
    found = list(prepared.findings.doubts)
    removed = prepared.rows.dropped.get(LEAK, 0)
    if removed:
        found.append(f"{removed:,} rows were removed: their inputs stand in a later split too")
    leaks = leakage(prepared)
    if leaks["inputs_in_two_splits"]:
        inputs = leaks["inputs_in_two_splits"]
        found.append(f"{inputs:,} inputs stand on both sides of the given split, and were kept")
    if leaks["groups_in_two_splits"]:
        by = prepared.config.split.group_by
        groups = leaks["groups_in_two_splits"]
        found.append(f"{groups:,} groups by {by} stand on both sides of the given split")
    limit = prepared.config.checks.drift
    return found if limit is None else [*found, *drift_sentences(drift, limit)]


def _treatment(config: DataConfig) -> str:
    if not KINDS[config.kind].drops_equal_rows:
        return "kept, on one side of the split"
    if not TARGETS[config.task].one_answer:
        return "equal rows are kept once; rows of one input with several numbers stay on one side"
    return "equal rows are kept once; all rows of a contradicted input are dropped"


def _given_by(prepared: Prepared) -> dict[str, str]:
    """What says where rows go, beside chance; files by their names."""
    split = prepared.config.split
    named = {"column": split.column, "time": split.time}
    given = {way: value for way, value in named.items() if value}
    return given | {name: PurePath(file).name for name, file in split.files.items()}


def _shared(things: Ids, sides: Ids) -> int:
    return len(distinct(things * len(SPLITS) + sides)) - len(distinct(things))


def _group_figures(groups: Ids, grouping: str) -> dict[str, Any]:
    sizes = np.unique(groups, return_counts=True)[1]
    several = sizes[sizes > 1]
    return {
        "by": grouping,
        "count": len(sizes),
        "with_several_rows": len(several),
        "rows_beyond_the_first": int(several.sum() - len(several)),
        "largest": int(sizes.max()),
    }


def _split_figures(prepared: Prepared, split: str) -> dict[str, Any]:
    shares = {"valid": prepared.config.split.valid, "test": prepared.config.split.test}
    asked = {name: share for name, share in shares.items() if isinstance(share, float)}
    side = np.flatnonzero(prepared.sides == SPLITS.index(split))
    labels = [prepared.rows.labels[i] for i in side]
    return {
        "rows": len(side),
        "share": round(len(side) / len(prepared.rows), 4),
        "share_asked": (
            None
            if prepared.config.split.is_given and not prepared.config.split.time
            else round(asked.get(split, 1 - sum(asked.values())), 4)
        ),
        "groups": len(distinct(prepared.groups[side])),
        **TARGETS[prepared.config.task].figures(labels, prepared.classes),
    }


def _inputs_of(prepared: Prepared, side: int) -> dict[str, list[Any]]:
    chosen = np.flatnonzero(prepared.sides == side)
    return {name: taken(values, chosen) for name, values in prepared.inputs.items()}
