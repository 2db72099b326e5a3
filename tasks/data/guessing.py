"""What a file of rows is likely to be: kind, target, inputs, split, each with the reason why."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tasks.data.config import FILE_SUFFIXES, DataConfig
from tasks.data.files import folder_table
from tasks.data.guessing_interactions import meetings_of, tried
from tasks.data.interactions import InteractionsKind
from tasks.data.kinds import KINDS
from tasks.data.labels import MAX_MISSING, class_name
from tasks.data.plain_text import TEXT, is_plain, plain_files
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.reading import read_table, text_encoding
from tasks.data.source import resolve_source
from tasks.data.split_config import SplitConfig
from tasks.data.table import Table, shortened

USUAL_TARGETS = (
    *("target", "label", "labels", "class", "category", "sentiment", "y", "outcome"),
    *("intent", "topic", "emotion", "rating", "stars", "spam", "is_spam", "toxic"),
)
"""Names that people give to what they predict, the surest first."""
USUAL_NUMBERS = (
    *("target", "y", "price", "amount", "cost", "value", "score", "rating", "duration", "demand"),
    *("sales", "revenue", "salary", "income", "quantity", "count", "age", "delay"),
)
"""Names that people give to numbers that they predict."""
USUAL_GROUPS = ("user", "author", "customer", "patient", "session", "thread", "conversation")
OTHER_TARGETS = tuple({*USUAL_TARGETS, *USUAL_NUMBERS} - {"rating", "stars", "score", "count"})
"""Columns of a file of users and items that ask another question than who meets what."""
MOST_CLASSES = 100
LEAST_ROWS = 3
"""Rows of a class, without which it cannot stand in train, valid and test."""
FEW_ROWS = 2000
MAX_NAME_LENGTH = 80
BY_NAME_ALONE = ("interactions",)
"""Tried before a target is sought, since of some the item is the target."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A value for one field, and why."""

    value: Any
    why: str


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    classes: int
    is_text: bool
    problem: str
    """Why it cannot be a target; empty when it can."""


def guess_data(path: Path) -> dict[str, Guess]:
    """A guess for each field of `data`, tried out on the whole file.

    Raises `ValueError` when the file cannot be read, or no column can be a target or an input.
    """
    path = resolve_source(str(path), Path.cwd(), "FILE", folder=True)
    if is_plain(path):
        return _guess_texts(path)
    encoding = _encoding(path)
    table = _table(path, encoding.value)
    _check_header(table)
    if met := _guess_meetings(table, encoding):
        return met
    target, task = _question(table)
    inputs, kind = _inputs(table, target.value)
    shares = _shares(len(table))
    config = DataConfig(
        source=str(path),
        kind=kind.value,
        target=target.value,
        task=task.value,
        encoding=encoding.value,
        split=shares.value,
    )
    prepared = prepare_rows(config, Path())
    return {
        "encoding": encoding,
        "kind": kind,
        "inputs": _without_left_out(inputs, prepared),
        "target": target,
        "task": task,
        "split": shares,
        "group_by": _grouping(prepared),
    }


def _guess_meetings(table: Table, encoding: Guess) -> dict[str, Guess] | None:
    """What is said of a file of users and items; None where it is none, or too small for one."""
    found = meetings_of(table, OTHER_TARGETS)
    shares = _shares(len(table))
    made = found and tried(found, table, encoding.value, shares.value)
    if not (found and made):
        return None
    prepared, why_split = made
    known = {*found.pair.values(), found.rating, found.time}
    others = shortened([name for name in table.names if name not in known])
    also = f"; columns that say more of either may stand here: {others}" if others else ""
    other_task = f"; also possible: ranking, which {found.item} is next" if found.time else ""
    why = (
        ("a rating is a number" + other_task) if found.rating else "no column rates, one says when"
    )
    most = prepared.config.max_rows
    kept = {"max_rows": Guess(most, "as many as a teacher's scores can be kept of")} if most else {}
    return kept | {
        "encoding": encoding,
        "kind": Guess(InteractionsKind.name, InteractionsKind.why),
        "interactions": Guess(found.pair, "by their names"),
        "inputs": Guess(found.inputs, ("who and what" if found.rating else "who") + also),
        "target": Guess(found.target, "the rating" if found.rating else "what is met next"),
        "task": Guess(found.task, why),
        "split": shares,
        "time": Guess(prepared.config.split.time, why_split),
        "group_by": Guess("near_duplicate", "rows of one user and item stay on one side"),
    }


def _guess_texts(path: Path) -> dict[str, Guess]:
    """Plain text has no column to predict: it is learned to be written on."""
    files = [path / name for name in plain_files(path)] if path.is_dir() else [path]
    encodings = [_encoding(file) for file in files]
    encoding = max(encodings, key=lambda guess: guess.value != "utf-8")
    data = {"source": str(path), "task": "generation", "encoding": encoding.value}
    prepared = prepare_rows(DataConfig.model_validate(data), Path())
    shares = _shares(len(prepared.table))
    return {
        "encoding": encoding,
        "kind": Guess("text", "plain text"),
        "inputs": Guess((TEXT,), "the paragraphs"),
        "target": Guess("", "none: the texts themselves are learned"),
        "task": Guess("generation", "plain text has no column to predict"),
        "split": shares,
        "group_by": _grouping(prepared),
    }


def _without_left_out(inputs: Guess, prepared: Prepared) -> Guess:
    """The inputs without those that preparing left out: they predict the target alone."""
    kept = prepared.config.inputs
    gone = [name for name in inputs.value if name not in kept]
    if not gone:
        return inputs
    return Guess(kept, f"{inputs.why}; without {shortened(gone, most=5)}, which tells the target")


def _table(path: Path, encoding: str) -> Table:
    if path.is_dir():
        return folder_table(path, tuple(end for ends in FILE_SUFFIXES.values() for end in ends))
    return read_table(path, encoding)


def _encoding(path: Path) -> Guess:
    if path.is_dir():
        return Guess("utf-8", "not used: a folder of files")
    encoding = text_encoding(path)
    if encoding is None:
        return Guess("utf-8", "not used: Parquet knows its own")
    why = {
        "utf-8": "every byte of the file is valid utf-8",
        "utf-16": "the file starts with the mark of utf-16",
        "utf-16-le": "the file starts as utf-16 does, without its mark",
        "utf-16-be": "the file starts as utf-16 does, without its mark",
        "cp1252": "not valid utf-8; every byte is one of Windows' Western European letters",
    }
    return Guess(encoding, why.get(encoding, "neither utf-8 nor cp1252; latin-1 reads any byte"))


def _check_header(table: Table) -> None:
    long = next((name for name in table.names if len(name) > MAX_NAME_LENGTH), None)
    if long is not None:
        raise ValueError(
            f"{table.path.name}:1: {long[:40] + '...'!r} looks like a value, not the name of a "
            "column: the first line must be a header"
        )


def _question(table: Table) -> tuple[Guess, Guess]:
    """Which column is to be predicted, and whether as a class or as a number."""
    columns = [_judged(table, name) for name in table.names]
    classes = [column for column in columns if not column.problem]
    numbers = [column for column in columns if _is_amount(column, table)]
    named = [column for column in numbers if column.name.lower() in USUAL_NUMBERS]
    usual = any(_name_rank(column.name) < len(USUAL_TARGETS) for column in classes)
    if (named and not usual) or (numbers and not classes):
        best = (named or numbers)[-1]
        why = f"a number, {best.classes:,} different ones on {len(table):,} rows"
        return Guess(best.name, why), Guess("regression", "the target is a number")
    return _target(table, columns), Guess("classification", "the target has few different values")


def _is_amount(column: _Column, table: Table) -> bool:
    """A column of many different numbers, nearly none missing, that does not merely count rows."""
    if not column.problem or column.is_text or column.classes < 3:
        return False
    names = [class_name(value) for value in table.columns[column.name]]
    numbers = [float(name) for name in names if name is not None and _is_number(name)]
    counts = all(first < second for first, second in pairwise(numbers))
    return len(numbers) >= (1 - MAX_MISSING) * len(table) and not counts


def _target(table: Table, columns: list[_Column]) -> Guess:
    possible = sorted((c for c in columns if not c.problem), key=lambda c: _rank(c, table))
    if not possible:
        reasons = shortened([f"{c.name!r} has {c.problem}" for c in columns])
        raise ValueError(
            f"{table.path.name}: no column can be the target, which takes 2 to {_most(table)} "
            f"different values, each on at least {LEAST_ROWS} rows: {reasons}"
        )
    best, *others = possible
    named = "its name says so, " if _name_rank(best.name) < len(USUAL_TARGETS) else ""
    also = shortened([f"{c.name} ({c.classes})" for c in others])
    why = f"{named}{best.classes} different values on {len(table):,} rows"
    return Guess(best.name, why + (f"; also possible: {also}" if also else ""))


def _judged(table: Table, name: str) -> _Column:
    values = table.columns[name]
    if any(isinstance(value, list | dict) for value in values):
        return _Column(name, 0, False, "lists or objects")
    found = Counter(class_name(value) for value in values)
    missing = found.pop(None, 0)
    is_text = any(isinstance(value, str) and not _is_number(value) for value in values)
    return _Column(name, len(found), is_text, _problem(found, missing, table))


def _problem(found: Counter[str | None], missing: int, table: Table) -> str:
    if missing > MAX_MISSING * len(table):
        return f"{missing / len(table):.0%} missing"
    if not 2 <= len(found) <= _most(table):
        return f"{len(found):,} different value{'s' * (len(found) != 1)}"
    rarest, count = min(found.items(), key=lambda item: item[1])
    return f"only {count} rows of {rarest!r}" if count < LEAST_ROWS else ""


def _most(table: Table) -> int:
    """More different values than this are names, numbers or texts, not classes."""
    return max(2, min(MOST_CLASSES, len(table) // 5))


def _rank(column: _Column, table: Table) -> tuple[int, bool, int, int]:
    """Smallest is likeliest: a usual name, words before numbers, few classes, a late column."""
    place = table.names.index(column.name)
    return _name_rank(column.name), not column.is_text, column.classes, -place


def _name_rank(name: str) -> int:
    lowered = name.lower()
    return USUAL_TARGETS.index(lowered) if lowered in USUAL_TARGETS else len(USUAL_TARGETS)


def _inputs(table: Table, target: str) -> tuple[Guess, Guess]:
    """Inputs and kind: the first kind that finds columns to predict from."""
    problems = []
    for name, kind in KINDS.items():
        if name in BY_NAME_ALONE:
            continue
        try:
            inputs = kind.choose_inputs(table, target)
        except ValueError as error:
            problems.append(str(error))
            continue
        return Guess(inputs, kind.why_inputs), Guess(name, kind.why)
    raise ValueError("; ".join(problems))


def _shares(rows: int) -> Guess:
    if rows < FEW_ROWS:
        why = f"larger shares than usual: {rows:,} rows are few, and a small holdout proves little"
        return Guess(SplitConfig(valid=0.15, test=0.25), why)
    return Guess(SplitConfig(), "the usual shares")


def _grouping(prepared: Prepared) -> Guess:
    rows, groups = len(prepared.rows), len(set(prepared.groups.tolist()))
    why = f"{rows - groups:,} of {rows:,} rows nearly repeat another: they stay on one side"
    names = prepared.table.names
    others = [name for name in names if name.lower().removesuffix("_id") in USUAL_GROUPS]
    also = "".join(f"; rows of one {name} may belong together instead" for name in others[:1])
    return Guess("near_duplicate", why + also)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
