"""A `.ts` file of the UCR/UEA archive (Bagnall et al. 2018, arXiv:1811.00075) as a table.

A header of `@` lines, then `@data`, then one series a line: channels with `:` between them, values
with `,`, and the label last. A row has a column for each channel, a list of its values in order of
time with None for `?`, and the column `label` where the header announces one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.data.table import Table, shortened
from tasks.data.text_file import check_text, without_mark

LABEL = "label"
_YES_NO = {"true": True, "false": False}
_KNOWN = {
    *("problemname", "timestamps", "missing", "univariate", "dimensions", "dimension"),
    *("equallength", "serieslength", "classlabel", "targetlabel"),
}
Values = list[float | None]


@dataclass(frozen=True, slots=True)
class _Header:
    channels: int | None
    """None where the header leaves it to the first line."""
    equal: bool
    has_label: bool
    classes: tuple[str, ...]


def read_ts(path: Path, encoding: str) -> Table:
    """All series of the file; ValueError names the line of what is wrong."""
    check_text(path, encoding)
    with path.open(encoding=without_mark(encoding)) as file:
        lines = _content(iter(enumerate(file, start=1)))
        header = _header(path, lines)
        found = [(line, *_series(path, line, text, header)) for line, text in lines]
    if not found:
        raise ValueError(f"{path.name} has a header and no series after @data")
    _check_alike(path, [(line, channels) for line, channels, _ in found], header)
    names = channel_names(len(found[0][1]))
    columns: dict[str, list[Any]] = {
        name: [channels[index] for _, channels, _ in found] for index, name in enumerate(names)
    }
    if header.has_label:
        columns[LABEL] = [label for *_, label in found]
    numbers = np.array([line for line, *_ in found], dtype=np.int64)
    return Table(path, columns, tuple(columns), numbers, {"format": "ts", "encoding": encoding})


def channel_names(count: int) -> list[str]:
    """`channel_1`, `channel_2`, ...; the format has no names."""
    return [f"channel_{index + 1}" for index in range(count)]


def _content(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for line, text in lines:
        stripped = text.strip()
        if stripped and not stripped.startswith(("#", "%")):
            yield line, stripped


def _header(path: Path, lines: Iterator[tuple[int, str]]) -> _Header:
    """What stands before `@data`."""
    fields: dict[str, tuple[int, list[str]]] = {}
    for line, text in lines:
        key, *values = text.split()
        if key.lower() == "@data":
            return _read_header(path, fields)
        if not key.startswith("@"):
            raise ValueError(f"{path.name}:{line}: {text[:40]!r} stands before @data")
        if key[1:].lower() not in _KNOWN:
            raise ValueError(
                f"{path.name}:{line}: {key[:40]!r} is no field of a .ts header, allowed: "
                f"{', '.join('@' + name for name in sorted(_KNOWN))}"
            )
        fields[key[1:].lower()] = line, values
    raise ValueError(f"{path.name} has no line @data, after which the series stand")


def _read_header(path: Path, fields: dict[str, tuple[int, list[str]]]) -> _Header:
    if _is(path, fields, "timestamps"):
        raise ValueError(
            f"{path.name}:{fields['timestamps'][0]}: @timeStamps true cannot be read, values "
            "without times were expected"
        )
    name = "dimensions" if "dimensions" in fields else "dimension"
    channels = _count(path, fields, name)
    if _is(path, fields, "univariate"):
        channels = 1
    _count(path, fields, "serieslength")
    has_classes = _is(path, fields, "classlabel")
    return _Header(
        channels=channels,
        equal=_is(path, fields, "equallength"),
        has_label=has_classes or _is(path, fields, "targetlabel"),
        classes=tuple(fields["classlabel"][1][1:]) if has_classes else (),
    )


def _is(path: Path, fields: dict[str, tuple[int, list[str]]], name: str) -> bool:
    line, values = fields.get(name, (0, ["false"]))
    word = values[0].lower() if values else ""
    if word not in _YES_NO:
        raise ValueError(f"{path.name}:{line}: @{name} is {word!r}, true or false was expected")
    return _YES_NO[word]


def _count(path: Path, fields: dict[str, tuple[int, list[str]]], name: str) -> int | None:
    if name not in fields:
        return None
    line, values = fields[name]
    word = values[0] if values else ""
    if not word.isdecimal() or int(word) < 1:
        raise ValueError(
            f"{path.name}:{line}: @{name} is {word!r}, a number of at least 1 was expected"
        )
    return int(word)


def _series(path: Path, line: int, text: str, header: _Header) -> tuple[list[Values], str | None]:
    parts = text.split(":")
    label = parts.pop().strip() if header.has_label else None
    if not parts:
        raise ValueError(f"{path.name}:{line}: no ':' before a label, values were expected")
    if header.classes and label not in (*header.classes, "?"):
        raise ValueError(
            f"{path.name}:{line}: label {label!r:.40} is not in @classLabel: "
            f"{shortened(header.classes)}"
        )
    channels = [_values(path, line, part) for part in parts]
    lengths = sorted(set(map(len, channels)))
    if len(lengths) > 1:
        raise ValueError(
            f"{path.name}:{line}: channels of {lengths[0]} and {lengths[-1]} values, all channels "
            "of a series must be equally long"
        )
    return channels, None if label == "?" else label


def _values(path: Path, line: int, text: str) -> Values:
    found: Values = []
    for word in text.split(",") if text.strip() else []:
        value = None if word.strip() in ("?", "NaN", "nan") else _number(path, line, word.strip())
        found.append(value)
    return found


def _number(path: Path, line: int, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{path.name}:{line}: {word!r:.40} is neither a finite number nor '?'")
    return value


def _check_alike(path: Path, found: list[tuple[int, list[Values]]], header: _Header) -> None:
    """Raise ValueError for a line whose channels or steps are not those of the header or first."""
    channels = header.channels or len(found[0][1])
    steps = len(found[0][1][0])
    for line, values in found:
        if len(values) != channels:
            raise ValueError(
                f"{path.name}:{line}: {len(values)} channels, {channels} were expected"
            )
        if header.equal and len(values[0]) != steps:
            raise ValueError(
                f"{path.name}:{line}: {len(values[0])} values where the first series has {steps} "
                "and @equalLength is true"
            )
