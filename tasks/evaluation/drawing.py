"""A row as a piece of HTML, alone or with what its parts did for a wrong answer.

Red parts spoke for it, blue ones against it. Everything that came from data is escaped.
"""

import base64
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np

from tasks.data.image_probe import CELLS, Pixels, heat_of
from tasks.data.series_probe import stretches
from tasks.packaging.predictor.image import stored_pixels
from tasks.packaging.predictor.table import is_empty

Row = Mapping[str, Any]
Effects = Sequence[tuple[str, float]]
FOR, AGAINST = "213,94,0", "0,114,178"
MOST_LETTERS = 300
MOST_LINES = 6
"""Channels of a series that are drawn: those with the largest effects."""
SIDE, THUMBNAIL = 180, 64
"""Of a picture, in pixels of the page."""
_PALE = "grayscale(1) contrast(.35) brightness(1.5)"
"""So that colours over black show."""
WIDE, HIGH, GUTTER = 480, 44, 110
"""Of one channel of a series, and of its name on the left of it."""
MOST_MARKS = 16
"""Of a channel's name."""
FEW_LINES, SMALL = 3, 0.7
"""Channels of a series that is shown without reasons, and how small."""


def row_html(kind: str, row: Row) -> str:
    """The row, short."""
    return ALONE.get(kind, _cells)(row)


def explained_html(kind: str, row: Row, parts: Effects) -> str:
    """The row with its parts marked."""
    if not parts:
        return row_html(kind, row)
    return EXPLAINED.get(kind, _marked_words)(row, parts)


def marked(text: str, effect: float) -> str:
    """A part in words on its colour; how much it did is shown by a pointer on it."""
    return f'<span style="background:{_tint(effect)}" title="{effect:+.3f}">{escape(text)}</span>'


def _tint(effect: float) -> str:
    strength = min(1.0, abs(effect)) ** 0.5 * 0.7
    return f"rgba({FOR if effect > 0 else AGAINST},{strength:.2f})"


def _marked_words(row: Row, parts: Effects) -> str:
    del row
    return " ".join(marked(_short(name), effect) for name, effect in parts)


def _cells(row: Row) -> str:
    if len(row) == 1:
        return escape(_short(str(next(iter(row.values())))))
    filled = (f"{name} = {_value(value)}" for name, value in row.items() if not is_empty(value))
    return escape(_short(", ".join(filled)))


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 3] + "..."


def _thumbnail(row: Row) -> str:
    (cell,) = row.values()
    return f'<img class="pixels" height="{THUMBNAIL}" alt="" src="{_png(stored_pixels(cell))}">'


def _heated(row: Row, parts: Effects) -> str:
    """The picture, and beside it the same in grey under the colours of its windows."""
    (cell,) = row.values()
    pixels = stored_pixels(cell)
    height, width = pixels.shape[:2]
    heat = heat_of([effect for _, effect in parts], height, width)
    scale = SIDE / max(height, width)
    high, wide = height * scale, width * scale
    href = _png(pixels)
    edges = [
        np.unique(np.linspace(0, side, CELLS + 1).round().astype(int)).tolist()
        for side in (height, width)
    ]
    tiles = "".join(
        f'<rect x="{wide + 12 + left * scale:.1f}" y="{top * scale:.1f}" fill="{_tint(effect)}" '
        f'width="{(right - left) * scale:.1f}" height="{(bottom - top) * scale:.1f}">'
        f"<title>{effect:+.3f}</title></rect>"
        for top, bottom in pairwise(edges[0])
        for left, right in pairwise(edges[1])
        for effect in (float(heat[top, left]),)
    )
    pictures = "".join(
        f'<image class="pixels" x="{x:.1f}" width="{wide:.1f}" height="{high:.1f}" '
        f'preserveAspectRatio="none" {look}href="{href}"/>'
        for x, look in ((0.0, ""), (wide + 12, f'style="filter:{_PALE}" '))
    )
    return _svg(2 * wide + 12, high, pictures + tiles)


def _png(pixels: Pixels) -> str:
    from PIL import Image

    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return f"data:image/png;base64,{base64.b64encode(packed.getvalue()).decode()}"


def _lines(row: Row) -> str:
    """The first channels, a line each."""
    names = list(row)[:FEW_LINES]
    drawn = "".join(_line(row[name], HIGH * place, name) for place, name in enumerate(names))
    return _svg(GUTTER + WIDE, HIGH * len(names), drawn, SMALL) + _more(row, names, "")


def _tinted_lines(row: Row, parts: Effects) -> str:
    """The channels with the largest effects, each over the colours of its stretches of time."""
    effects: dict[str, list[tuple[slice, float]]] = {name: [] for name in row}
    for (names, steps), (_, effect) in zip(stretches(row), parts, strict=True):
        for name in names:
            effects[name].append((steps, effect))
    strongest = sorted(row, key=lambda name: -max(abs(effect) for _, effect in effects[name]))
    shown = [name for name in row if name in strongest[:MOST_LINES]]
    drawn = "".join(
        _stretch(steps, effect, len(row[name]), HIGH * place)
        for place, name in enumerate(shown)
        for steps, effect in effects[name]
    ) + "".join(_line(row[name], HIGH * place, name) for place, name in enumerate(shown))
    return _svg(GUTTER + WIDE, HIGH * len(shown), drawn) + _more(row, shown, " did less")


def _more(row: Row, shown: Sequence[str], what: str) -> str:
    left = len(row) - len(shown)
    return f"<br><small>{left} more channels{what}</small>" if left else ""


def _stretch(steps: slice, effect: float, length: int, top: float) -> str:
    x, width = (WIDE * number / length for number in (steps.start, steps.stop - steps.start))
    return (
        f'<rect x="{GUTTER + x:.1f}" y="{top}" width="{width:.1f}" height="{HIGH - 2}" '
        f'fill="{_tint(effect)}"><title>steps {steps.start}-{steps.stop - 1}: {effect:+.3f}'
        "</title></rect>"
    )


def _line(cell: Sequence[float | None], top: float, name: str) -> str:
    """One channel from its least to its greatest value; gaps where values are missing."""
    known = [value for value in cell if value is not None] or [0.0]
    low, spread = min(known), max(known) - min(known) or 1.0
    lines = "".join(
        '<polyline fill="none" stroke="#222" stroke-width="1.2" stroke-linecap="round" points="'
        + " ".join(
            f"{GUTTER + WIDE * (step + 0.5) / len(cell):.1f},"
            f"{top + 4 + (HIGH - 10) * (1 - (value - low) / spread):.1f}"
            for step, value in run
        )
        + '"/>'
        for run in _runs(cell)
    )
    shown = name if len(name) <= MOST_MARKS else name[: MOST_MARKS - 3] + "..."
    label = (
        f'<text x="0" y="{top + HIGH / 2 + 4}" font-size="12" fill="#555">{escape(shown)}</text>'
    )
    return lines + label


def _runs(cell: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Runs of values between missing ones; one that stands alone is drawn as a short line."""
    run: list[tuple[int, float]] = []
    for step, value in [*enumerate(cell), (len(cell), None)]:
        if value is not None:
            run.append((step, value))
        elif run:
            yield run if len(run) > 1 else [*run, (run[0][0], run[0][1])]
            run = []


def _svg(width: float, height: float, content: str, scale: float = 1.0) -> str:
    return (
        f'<svg width="{width * scale:.0f}" height="{height * scale:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img">{content}</svg>'
    )


ALONE: dict[str, Callable[[Row], str]] = {"image": _thumbnail, "series": _lines}
"""Kinds whose rows are no words."""
EXPLAINED: dict[str, Callable[[Row, Effects], str]] = {"image": _heated, "series": _tinted_lines}
