"""Can a champion of an earlier night be asked about tonight's rows, and its answers compared?"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.artifacts import DatasetRef
from tasks.packaging.bundle import BundleFacts, read_facts
from tasks.packaging.predictor.encoder import load_encoder

Columns = Mapping[str, Sequence[Any]]
MOST_LETTERS = 200
"""Of what an encoder says: a cell may be a whole text."""


def why_not_asked(bundle: Path, rows: Iterable[Columns], dataset: DatasetRef) -> str:
    """Why it is not, to follow `cannot be asked: `; empty where it is.

    `rows` are looked at last, and only as far as the bundle can read them.
    """
    facts = read_facts(bundle)
    return _why_other_question(facts, dataset) or _why_unreadable(bundle, facts, rows)


def _why_other_question(facts: BundleFacts, dataset: DatasetRef) -> str:
    task = "regression" if facts.scale else facts.task  # older bundles do not name it
    if task != dataset.task:
        return f"it answers a {task}, tonight's is a {dataset.task} (data.task)"
    if missing := [name for name in facts.inputs if name not in dataset.inputs]:
        return f"it reads {', '.join(missing)}, none of tonight's inputs (data.inputs)"
    then, now = facts.encoder.get("top"), dataset.layout.get("top")
    if task == "ranking" and str(then) != now:
        return f"it answers {then} items, tonight {now} are asked for (data.interactions.top)"
    return ""


def _why_unreadable(bundle: Path, facts: BundleFacts, rows: Iterable[Columns]) -> str:
    encoder = load_encoder(facts.encoder, bundle)
    try:
        for columns in rows:
            encoder.rows(columns)
    except ValueError as error:
        return f"it cannot read tonight's rows: {error!s:.{MOST_LETTERS}}"
    return ""
