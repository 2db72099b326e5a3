"""A page of HTML: a title, sections, tables, pictures inside it. All text is escaped."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222;
overflow-wrap:break-word}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .7rem;text-align:left;
border-bottom:1px solid #ddd;vertical-align:top}th.n,td.n{text-align:right}
td.n{font-variant-numeric:tabular-nums;white-space:nowrap}
p img{max-width:100%}.row{margin:.3rem 0 1.2rem;line-height:1.9}.row span{padding:.1rem .2rem;
border-radius:.2rem}small{color:#666}.pixels{image-rendering:pixelated}
.examples{display:flex;flex-wrap:wrap;gap:.6rem 1.2rem;margin:.3rem 0 1.2rem}
svg{max-width:100%;height:auto}
"""


def page(title: str, sections: Sequence[str]) -> str:
    """The whole page; `sections` are HTML already."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        + "\n".join(sections)
        + "</body></html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """The first `words` columns are names, the others figures."""
    lines = [
        "".join(
            f"<th{_side(place >= words)}>{escape(cell)}</th>" for place, cell in enumerate(head)
        )
    ]
    lines += [
        "".join(f"<td{_side(place >= words)}>{escape(cell)}</td>" for place, cell in enumerate(row))
        for row in rows
    ]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def picture(path: Path) -> str:
    """A PNG inside the page."""
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<p><img alt="{escape(path.stem)}" src="data:image/png;base64,{data}"></p>'


def percent(share: float) -> str:
    """`4.3 %`"""
    return f"{100 * share:.1f} %"


def _side(is_figure: bool) -> str:
    return ' class="n"' if is_figure else ""
