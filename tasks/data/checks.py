"""What the project declares about its rows, tested before anything is trained on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tasks.data.checks_config import ChecksConfig, ColumnCheck, FreshCheck
from tasks.data.labels import class_name
from tasks.data.table import Mask, Table, shortened
from tasks.data.times import seconds_of
from tasks.packaging.predictor.table import is_empty, moment_of, number_of, truth_of

if TYPE_CHECKING:
    import pandas as pd

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class _Rule:
    """Something that every known cell of a column must be."""

    wanted: str
    holds: Callable[[Any], bool]


def check_table(config: ChecksConfig, table: Table) -> None:
    """Pass when rows, columns and freshness are as declared; ValueError names the first breach."""
    if config.rows is not None and len(table) < config.rows:
        raise ValueError(
            f"data.checks.rows: {table.path.name} has {len(table):,} rows, at least "
            f"{config.rows:,} were expected"
        )
    if config.columns:
        _check_columns(config.columns, table)
    if config.fresh is not None:
        _check_fresh(config.fresh, table)


def check_labels(
    config: ChecksConfig, table: Table, target: str, labels: Sequence[str], missing: Mask
) -> None:
    """Pass when the labels are those declared, all of them; ValueError otherwise."""
    allowed = [class_name(label) or "" for label in config.labels]
    if not allowed:
        return
    unknown = [
        row
        for row, (label, gone) in enumerate(zip(labels, missing, strict=True))
        if not gone and label not in allowed
    ]
    if unknown:
        raise ValueError(
            f"{table.where(unknown[0])}: data.checks.labels: data.target {target!r} is "
            f"{labels[unknown[0]]!r} (in {len(unknown):,} of {len(labels):,} rows), "
            f"{shortened(allowed)} were expected"
        )
    if absent := sorted(set(allowed) - set(labels)):
        raise ValueError(
            f"data.checks.labels: no row of {table.path.name} has the data.target {target!r} "
            f"{shortened(absent)}, every one of {shortened(allowed)} was expected"
        )


def _check_columns(columns: Mapping[str, ColumnCheck], table: Table) -> None:
    # pandera loads in 0.7 s: only for projects that declare something.
    import pandas as pd
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

    rules = {name: _rules(check) for name, check in columns.items()}
    frame = pd.DataFrame({name: _cells(table, name) for name in columns}, dtype=object)
    schema = pa.DataFrameSchema(
        {
            name: pa.Column(
                nullable=True,
                checks=[pa.Check(rule.holds, element_wise=True) for rule in rules[name]]
                + [pa.Check(_few_missing(columns[name]), ignore_na=False)],
            )
            for name in columns
        }
    )
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        raise ValueError(_breach(error.failure_cases, rules, columns, table)) from None


def _cells(table: Table, name: str) -> list[Any]:
    values = table.column(name, "data.checks.columns")
    return [None if is_empty(value) else value for value in values]


def _few_missing(check: ColumnCheck) -> "Callable[[pd.Series[Any]], bool]":
    return lambda series: bool(series.isna().mean() <= check.missing)


def _rules(check: ColumnCheck) -> list[_Rule]:
    found = []
    if check.type:
        found.append(TYPES[check.type])
    if check.min is not None:
        found.append(_Rule(f"at least {check.min:g}", _compares(check.min.__le__)))
    if check.max is not None:
        found.append(_Rule(f"at most {check.max:g}", _compares(check.max.__ge__)))
    if check.values:
        names = [class_name(value) for value in check.values]
        wanted = f"one of {shortened([str(name) for name in names])}"
        found.append(_Rule(wanted, lambda value: class_name(value) in names))
    return found


def _breach(
    cases: "pd.DataFrame",
    rules: Mapping[str, Sequence[_Rule]],
    columns: Mapping[str, ColumnCheck],
    table: Table,
) -> str:
    """One sentence about the first check that failed, and how many others did."""
    (name, number), first = next(iter(cases.groupby(["column", "check_number"], sort=False)))
    others = len(cases.groupby(["column", "check_number"])) - 1
    tail = f"; {others} other check{'s' * (others > 1)} failed too" if others else ""
    if number == len(rules[name]):
        return _too_many_missing(name, columns[name], table) + tail
    rows = sorted(int(row) for row in first["index"])
    return (
        f"{table.where(rows[0])}: data.checks.columns {name!r} is "
        f"{table.columns[name][rows[0]]!r:.40} (in {len(rows):,} of {len(table):,} rows), "
        f"{rules[name][number].wanted} was expected{tail}"
    )


def _too_many_missing(name: str, check: ColumnCheck, table: Table) -> str:
    gone = [row for row, value in enumerate(table.columns[name]) if is_empty(value)]
    return (
        f"{table.where(gone[0])}: data.checks.columns {name!r} is missing (in {len(gone):,} of "
        f"{len(table):,} rows), at most {check.missing:.4g} of them may be"
    )


def _check_fresh(check: FreshCheck, table: Table) -> None:
    newest = -float("inf")
    for row, value in enumerate(table.column(check.column, "data.checks.fresh.column")):
        if is_empty(value):
            continue
        try:
            newest = max(newest, seconds_of(value))
        except ValueError as error:
            raise ValueError(
                f"{table.where(row)}: data.checks.fresh {check.column!r} is {value!r:.40}, an ISO "
                "8601 date or time was expected"
            ) from error
    age = (datetime.now(UTC).timestamp() - newest) / DAY
    if age > check.days:
        found = f"{age:,.1f} days old" if age < float("inf") else "missing in every row"
        raise ValueError(
            f"data.checks.fresh: the newest {check.column!r} of {table.path.name} is {found}, at "
            f"most {check.days:g} days were expected"
        )


def _compares(holds: Callable[[float], Any]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        try:
            return holds(number_of(value)) is True
        except (TypeError, ValueError):
            return False

    return check


def _parses(parse: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        try:
            parse(value)
        except (TypeError, ValueError):
            return False
        return True

    return check


def _whole(value: Any) -> int:
    number = number_of(value)
    if not number.is_integer():
        raise ValueError("not whole")
    return int(number)


TYPES = {
    "number": _Rule("a number", _parses(number_of)),
    "integer": _Rule("a whole number", _parses(_whole)),
    "boolean": _Rule("true or false", _parses(truth_of)),
    "moment": _Rule("an ISO 8601 date or time", _parses(moment_of)),
    "text": _Rule("text", lambda value: isinstance(value, str)),
}
"""What a cell must be, by the declared type of its column."""
