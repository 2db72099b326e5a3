"""The report on quality as a page: tables, pictures, and the worst mistakes with their reasons.

Everything that came from data is escaped: a text may hold tags.
"""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tasks.artifacts import Estimate, EvalReport, QualityReport
from tasks.evaluation.probing import Mistake

MOST_CONFUSIONS = 10
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .7rem;text-align:left;
border-bottom:1px solid #ddd}td.n{text-align:right;font-variant-numeric:tabular-nums}
img{max-width:100%}.row{margin:.3rem 0 1.2rem;line-height:1.9}.row span{padding:.1rem .2rem;
margin-right:.25rem;border-radius:.2rem}small{color:#666}
"""


def quality_page(report: QualityReport, chosen: EvalReport, plots: Sequence[Path]) -> str:
    """Slices, robustness and importance of the chosen candidate as one page of HTML."""
    sections = [f"<p>{_headline(report, chosen)}</p>", "<h2>Slices</h2>", _slices(report)]
    if report.calibration:
        sections += ["<h2>Calibration</h2>", f"<p>{escape(str(report.calibration))}.</p>"]
    if report.robustness:
        sections += ["<h2>Robustness</h2>", _robustness(report)]
    if report.importance:
        sections += ["<h2>Importance of the columns</h2>", _importance(report)]
    sections += ["<h2>Pictures</h2>", *map(_picture, plots)]
    return _page(f"{report.candidate}: where it is good and where it is not", sections)


def mistakes_page(
    chosen: EvalReport, classes: Sequence[str], mistakes: Sequence[Mistake], rows_right: str
) -> str:
    """Most frequent confusions, then the surest wrong answers with what spoke for them."""
    legend = (
        "<p>Each part of a row is marked by what it does to the wrong answer: "
        + _marked("speaks for it", 0.5)
        + _marked("speaks against it", -0.5)
        + " <small>by how much the probability falls or rises when the part is left out</small></p>"
    )
    sections = [
        f"<p>{escape(rows_right)}</p>",
        "<h2>Most frequent confusions</h2>",
        _confusions(chosen, classes),
        "<h2>Surest mistakes</h2>",
        legend,
        *map(_mistake, mistakes),
    ]
    return _page(f"{chosen.candidate.name}: its mistakes on the holdout", sections)


def _headline(report: QualityReport, chosen: EvalReport) -> str:
    others = ", ".join(escape(name) for name in list(report.contenders.values())[1:])
    return (
        f"Bundle <code>{escape(report.sha256[:12])}</code> on {chosen.rows:,} holdout rows, "
        f"beside {others or 'nothing'}. Figures are {escape(report.metric)} with the interval at "
        "95 %. Nothing here decides a promotion."
    )


def _slices(report: QualityReport) -> str:
    head = ["divided by", "slice", "rows", *report.contenders.values()]
    rows = [
        [s.slicing, s.name, f"{s.rows:,}", *(_shown(s.estimates.get(b)) for b in report.contenders)]
        for s in report.slices
    ]
    return _table(head, rows, 2)


def _robustness(report: QualityReport) -> str:
    head = ["what was done to the rows", "rows", report.metric, "answers that changed"]
    rows = [
        [p.name, f"{p.rows:,}", _shown(p.estimate), f"{p.changed:.1%}".replace("%", " %")]
        for p in report.robustness
    ]
    return _table(head, rows, 1)


def _importance(report: QualityReport) -> str:
    head = ["column", f"{report.metric} lost when it is shuffled", "deviation"]
    rows = [[i.column, f"{i.lost:+.4f}", f"{i.deviation:.4f}"] for i in report.importance]
    return _table(head, rows, 1)


def _shown(estimate: Estimate | None) -> str:
    return str(estimate or "not applicable")


def _confusions(chosen: EvalReport, classes: Sequence[str]) -> str:
    pairs = [
        (count, count / max(1, sum(row)), classes[truth], classes[predicted])
        for truth, row in enumerate(chosen.confusion)
        for predicted, count in enumerate(row)
        if truth != predicted and count
    ]
    rows = [
        [truth, predicted, f"{count:,}", f"{share:.1%}".replace("%", " %")]
        for count, share, truth, predicted in sorted(pairs, reverse=True)[:MOST_CONFUSIONS]
    ]
    return _table(["true class", "called", "rows", "of the true class"], rows, 2)


def _mistake(mistake: Mistake) -> str:
    parts = "".join(_marked(name, effect) for name, effect in mistake.parts)
    return (
        f"<div><b>{escape(mistake.predicted)}</b> at {mistake.confidence:.3f}, labelled "
        f"<b>{escape(mistake.truth)}</b> <small>row {mistake.row_id}</small>"
        f'<div class="row">{parts}</div></div>'
    )


def _marked(text: str, effect: float) -> str:
    colour = "213,94,0" if effect > 0 else "0,114,178"
    strength = min(1.0, abs(effect)) ** 0.5 * 0.7
    return (
        f'<span style="background:rgba({colour},{strength:.2f})" title="{effect:+.3f}">'
        f"{escape(text)}</span>"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """The first `words` columns are names, the others figures."""
    lines = ["".join(f"<th>{escape(name)}</th>" for name in head)]
    for row in rows:
        cells = (
            f'<td class="n">{escape(cell)}</td>' if place >= words else f"<td>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        lines.append("".join(cells))
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<p><img alt="{escape(path.stem)}" src="data:image/png;base64,{data}"></p>'


def _page(title: str, sections: Sequence[str]) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        + "\n".join(sections)
        + "</body></html>\n"
    )
