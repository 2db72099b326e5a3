"""Rows as pieces of a page: valid markup, with every part's effect where it belongs."""

import base64
import io
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from tasks.data.image_probe import ImageProbe, heat_of
from tasks.data.series_probe import SeriesProbe
from tasks.evaluation.drawing import MOST_LINES, explained_html, row_html
from tasks.packaging.predictor.image import cell_of

PIXELS = np.random.default_rng(1).integers(0, 255, (16, 24, 3)).astype(np.uint8)
EFFECT = re.compile(r"[+-]\d\.\d{3}$")


def titles(svg: ET.Element) -> list[float]:
    """The effects that a pointer shows."""
    found = [str(title.text) for title in svg.iter("title")]
    return [float(EFFECT.search(text)[0]) for text in found]  # type: ignore[index]


def test_a_picture_is_shown_beside_the_heat_of_its_windows() -> None:
    row = {"pixels": cell_of(PIXELS)}
    effects = np.linspace(-1, 1, 49).tolist()
    parts = [(name, e) for (name, _), e in zip(ImageProbe().parts(row, {}), effects, strict=True)]
    svg = ET.fromstring(explained_html("image", row, parts))  # noqa: S314 - our own
    first, second = (image.get("href", "") for image in svg.iter("image"))
    assert first == second
    shown = Image.open(io.BytesIO(base64.b64decode(first.split(",")[1])))
    np.testing.assert_array_equal(np.asarray(shown), PIXELS)
    heat = heat_of(effects, 16, 24)[::2, ::3].ravel()
    np.testing.assert_allclose(titles(svg), heat, atol=5e-4)


def test_a_series_shows_its_strongest_channels_over_their_effects() -> None:
    row = {f"c{k}": [float(step + k) for step in range(16)] for k in range(9)}
    parts = [
        (name, 0.5 if name.startswith("c7, steps 0-") else 0.01)
        for name, _ in SeriesProbe().parts(row, {})
    ]
    html = explained_html("series", row, parts)
    svg = ET.fromstring(html[: html.index("</svg>") + 6])  # noqa: S314 - our own
    assert "3 more channels did less" in html
    names = [text.text for text in svg.iter("text")]
    assert len(names) == MOST_LINES
    assert "c7" in names
    assert len(titles(svg)) == 8 * MOST_LINES
    assert sorted(titles(svg))[-2:] == [0.01, 0.5]


@pytest.mark.parametrize(
    "cell", [[None] * 4, [1.0], [1.0, 1.0], [1.0, None, 3.0, None], [-1e9, 1e9]], ids=str
)
def test_any_series_is_drawn(cell: list[float | None]) -> None:
    html = row_html("series", {"<a>": cell})
    lines = list(ET.fromstring(html).iter("polyline"))  # noqa: S314 - our own
    assert bool(lines) == any(value is not None for value in cell)
    assert "nan" not in html


def test_a_table_row_is_told_by_its_filled_cells_and_a_long_text_is_cut() -> None:
    assert row_html("table", {"a": 1.5, "b": None, "c": "<x>"}) == "a = 1.5, c = &lt;x&gt;"
    assert len(row_html("text", {"text": "long " * 1000})) == 300
    assert row_html("image", {"pixels": cell_of(PIXELS)}).startswith('<img class="pixels"')


def test_a_stronger_part_has_a_stronger_colour() -> None:
    html = explained_html("text", {"text": "a b c"}, [("a", 0.9), ("b", -0.1), ("c", 0.0)])
    strengths = [float(x) for x in re.findall(r"rgba\(\d+,\d+,\d+,(\d\.\d+)\)", html)]
    assert strengths[0] > strengths[1] > strengths[2] == 0
    assert "213,94,0" in html.split("</span>")[0]
    assert "0,114,178" in html.split("</span>")[1]
