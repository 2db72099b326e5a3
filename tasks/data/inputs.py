"""Which columns are predicted from, and what is to be said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.data.columns import idle_columns
from tasks.data.config import DataConfig
from tasks.data.kinds import Kind
from tasks.data.leaks import LEAK, alone, leaking
from tasks.data.snapshot import RESERVED
from tasks.data.table import Table
from tasks.data.tabular import type_of
from tasks.data.weights import check_weight_column


@dataclass(frozen=True, slots=True)
class Findings:
    """What was seen of the columns of a table; of other kinds nothing."""

    left_out: dict[str, str] = field(default_factory=dict)
    """Columns that nobody named and that are not learned from, and why."""
    alone: dict[str, float] = field(default_factory=dict)
    """How well each column alone predicts the target: AUC, mean recall or R2 on unseen rows."""
    doubts: tuple[str, ...] = ()
    """What a person should know, a sentence each."""


def with_inputs(config: DataConfig, table: Table, kind: Kind) -> tuple[DataConfig, Findings]:
    """The configuration with its inputs filled in; ValueError when they cannot be inputs."""
    if config.target:
        table.column(config.target, "data.target")
    if config.target in config.inputs:
        raise ValueError(f"data.inputs {config.target!r} is the target too, which would be leaked")
    for name in (*config.inputs, *config.usual_inputs):
        table.column(name, "data.inputs")
    by_date = table.facts.get("partitioned_by", ()) if config.window else ()
    split = config.split
    named = (
        *(split.column, split.time, split.group_by, config.weight, config.time),
        *config.beside,
    )
    others = [*by_date, *(name for name in named if name)]
    open_to_choice = table.without(others)
    inputs = config.inputs or config.usual_inputs
    inputs = inputs or kind.choose_inputs(open_to_choice, config.target)
    for name in (*inputs, *config.beside, config.target):
        if name in RESERVED:
            raise ValueError(
                f"{name!r} cannot be an input, the target or a slice: the name is reserved"
            )
    _check_named(config, table, inputs)
    check_weight_column(config, inputs)
    kind.check_inputs(table, inputs)
    considered = table if config.inputs else open_to_choice
    findings = _idle(config, considered) if config.kind == "table" else Findings()
    return config.model_copy(update={"inputs": inputs}), findings


def _check_named(config: DataConfig, table: Table, inputs: Sequence[str]) -> None:
    if len(set(inputs)) < len(inputs):
        raise ValueError(f"data.inputs {', '.join(inputs)}: a column stands twice")
    for name in config.columns:
        if name not in table.names:
            table.column(name, "data.columns")


def without_leaks(
    asked: DataConfig,
    config: DataConfig,
    types: Mapping[str, str],
    rows: tuple[Mapping[str, Sequence[Any]], Sequence[Any]],
    findings: Findings,
) -> tuple[DataConfig, Findings]:
    """The configuration without columns that predict the target alone, where nobody `asked` for
    them; `rows` are columns and labels.

    Raises ValueError when the project refuses such columns.
    """
    scores = alone(rows[0], types, rows[1]) if config.kind == "table" else {}
    leaks = leaking(scores)
    if leaks and config.table.leaks == "refuse":
        raise ValueError(f"data.table.leaks: {_sentence(config, leaks)}, which is refused")
    goes = {} if asked.inputs or config.table.leaks == "warn" else leaks
    if len(goes) == len(config.inputs):
        goes = {}  # nothing else is left to learn from
    fate = "left out, data.inputs would name it" if goes else "kept"
    doubts = tuple(f"{_sentence(config, {n: leaks[n]})}: {fate}" for n in leaks)
    left_out = dict.fromkeys(goes, "it predicts the target alone")
    inputs = tuple(name for name in config.inputs if name not in goes)
    return config.model_copy(update={"inputs": inputs}), Findings(
        {**findings.left_out, **left_out}, scores, (*findings.doubts, *doubts)
    )


def _idle(config: DataConfig, table: Table) -> Findings:
    names = config.inputs or [name for name in table.names if name != config.target]
    idle = idle_columns({name: table.columns[name] for name in names}, type_of)
    if not config.inputs:
        return Findings(left_out=idle)
    return Findings(doubts=tuple(f"data.inputs {name!r}: {why}" for name, why in idle.items()))


def _sentence(config: DataConfig, leaks: Mapping[str, float]) -> str:
    listing = ", ".join(f"{name!r} ({score:.3f})" for name, score in leaks.items())
    return (
        f"{listing} alone predicts data.target {config.target!r} on rows that it has not seen "
        f"(from {LEAK:g} on it is taken for something that is known only afterwards)"
    )
