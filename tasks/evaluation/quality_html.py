"""The report on quality as a page: tables and pictures."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from tasks.artifacts import EvalReport
from tasks.evaluation.html_page import page, picture, table
from tasks.quality_artifacts import Estimate, FactTable, QualityReport, Slice


def quality_page(report: QualityReport, chosen: EvalReport, plots: Sequence[Path]) -> str:
    """Slices, calibration, robustness, importance, what compressing changed, as one page."""
    sections = [f"<p>{_headline(report, chosen)}</p>"]
    if report.slices:
        sections += ["<h2>Slices</h2>", _slices(report.slices, report.contenders)]
    if report.calibration:
        sections += ["<h2>Calibration</h2>", f"<p>{escape(str(report.calibration))}.</p>"]
    if report.compression:
        sections += ["<h2>What compressing changed</h2>", _compression(report)]
    if report.robustness:
        sections += ["<h2>Robustness</h2>", _robustness(report)]
    if report.importance:
        sections += ["<h2>Importance of the columns</h2>", _importance(report)]
    for facts in report.tables:
        sections += [f"<h2>{escape(facts.title)}</h2>", f"<p>{escape(facts.about)}</p>"]
        sections += [table(facts.head, facts.rows, words_of(facts))]
    if plots:
        sections += ["<h2>Pictures</h2>", *map(picture, plots)]
    return page(f"{report.candidate}: where it is good and where it is not", sections)


def words_of(facts: FactTable) -> int:
    """How many of the first columns are words: all but those that begin with a figure."""
    if not facts.rows:
        return 1
    figures = [cell[:1].isdigit() for cell in facts.rows[0]]
    return next((place for place, is_figure in enumerate(figures) if is_figure), 1) or 1


def _headline(report: QualityReport, chosen: EvalReport) -> str:
    others = ", ".join(escape(name) for name in list(report.contenders.values())[1:])
    return (
        f"Bundle <code>{escape(report.sha256[:12])}</code> on {chosen.rows:,} holdout rows, "
        f"beside {others or 'nothing'}. Figures are {escape(report.metric_words)} with the "
        "interval at 95 %. Nothing here decides a promotion."
    )


def _slices(slices: Sequence[Slice], contenders: Mapping[str, str]) -> str:
    rows = [
        [s.slicing, s.name, f"{s.rows:,}", *(_shown(s.estimates.get(b)) for b in contenders)]
        for s in slices
    ]
    return table(["divided by", "slice", "rows", *contenders.values()], rows, 2)


def _compression(report: QualityReport) -> str:
    """The same slices of the validation rows, before and after, and what all of it changed."""
    before, *_, after = report.compressed
    rows = [
        [
            *(s.slicing, s.name, f"{s.rows:,}"),
            *(_shown(s.estimates.get(bundle)) for bundle in report.compressed),
            _difference(s.estimates.get(before), s.estimates.get(after)),
        ]
        for s in report.compression
    ]
    head = ["divided by", "slice", "rows", *report.compressed.values(), "difference"]
    return "<p>On validation rows, which chose it.</p>" + table(head, rows, 2)


def _difference(before: Estimate | None, after: Estimate | None) -> str:
    return f"{after.value - before.value:+.4f}" if before and after else ""


def _robustness(report: QualityReport) -> str:
    head = ["what was done to the rows", "rows", report.metric, report.changed_words]
    rows = [
        [p.name, f"{p.rows:,}", _shown(p.estimate), report.changed(p)] for p in report.robustness
    ]
    return table(head, rows, 1)


def _importance(report: QualityReport) -> str:
    head = ["column", f"{report.lost_words} when it is shuffled", "deviation"]
    rows = [[i.column, f"{i.lost:+.4f}", f"{i.deviation:.4f}"] for i in report.importance]
    return table(head, rows, 1)


def _shown(estimate: Estimate | None) -> str:
    return str(estimate or "not applicable")
