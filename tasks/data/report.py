"""The data report: plain figures about what was read, what was dropped and how it was split."""

from collections import Counter
from typing import Any

import numpy as np

from tasks.data.kinds import KINDS
from tasks.data.prepare import Prepared
from tasks.data.splitting import SPLITS
from tasks.data.table import Ids

FORMAT = 1


def data_report(prepared: Prepared) -> dict[str, Any]:
    """Figures of one dataset, ready for JSON; the same data gives the same report."""
    config, rows = prepared.config, prepared.rows
    return {
        "format": FORMAT,
        "source": {"name": prepared.table.path.name, **prepared.table.facts},
        "kind": config.kind,
        "inputs": list(config.inputs),
        "types": prepared.types,
        "target": config.target,
        "classes": list(prepared.classes),
        "rows": {"read": len(prepared.table), "kept": len(rows), "dropped": rows.dropped},
        "duplicates": {
            "rows_that_repeat_another": prepared.repeated,
            "inputs_with_several_labels": prepared.contradicted,
            "treatment": (
                "equal rows are kept once; all rows of a contradicted input are dropped"
                if KINDS[config.kind].drops_equal_rows
                else "kept, on one side of the split"
            ),
        },
        "groups": _group_figures(prepared.groups, str(config.split.group_by)),
        "splits": {split: _split_figures(prepared, split) for split in SPLITS},
        "leakage": leakage(prepared),
        config.kind: {
            split: KINDS[config.kind].figures(_inputs_of(prepared, side))
            for side, split in enumerate(SPLITS)
        },
    }


def leakage(prepared: Prepared) -> dict[str, int]:
    """Groups and inputs that stand on more than one side; zeros, or the split is broken."""
    sides = prepared.sides.tolist()
    figures = {
        "groups_in_two_splits": _shared(prepared.groups.tolist(), sides),
        "inputs_in_two_splits": _shared(prepared.keys, sides),
    }
    equal_rows_may = not KINDS[prepared.config.kind].drops_equal_rows
    assert not figures["groups_in_two_splits"], f"the split leaks: {figures}"
    assert equal_rows_may or not figures["inputs_in_two_splits"], f"the split leaks: {figures}"
    return figures


def _shared(things: list[Any], sides: list[int]) -> int:
    return len(set(zip(things, sides, strict=True))) - len(set(things))


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
    asked = {"valid": prepared.config.split.valid, "test": prepared.config.split.test}
    side = np.flatnonzero(prepared.sides == SPLITS.index(split))
    counts = Counter(prepared.rows.labels[i] for i in side)
    return {
        "rows": len(side),
        "share": round(len(side) / len(prepared.rows), 4),
        "share_asked": round(asked.get(split, 1 - sum(asked.values())), 4),
        "groups": len(np.unique(prepared.groups[side])),
        "classes": {name: counts[name] for name in prepared.classes},
    }


def _inputs_of(prepared: Prepared, side: int) -> dict[str, list[Any]]:
    chosen = np.flatnonzero(prepared.sides == side)
    return {name: [values[i] for i in chosen] for name, values in prepared.inputs.items()}
