"""A data report as a page: what was read and dropped, the splits, warnings, drift."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tasks.evaluation.html_page import page, picture, table

Report = Mapping[str, Any]


def data_page(name: str, report: Report, plots: Sequence[Path]) -> str:
    """The page; sections without anything to say are left out."""
    sections = [f"<p>{escape(_sentence(report))}</p>"]
    if report.get("warnings"):
        lines = "".join(f"<li>{escape(warning)}</li>" for warning in report["warnings"])
        sections += ["<h2>Warnings</h2>", f"<ul>{lines}</ul>"]
    sections += ["<h2>Splits</h2>", _splits(report)]
    if dropped := [[why, f"{n:,}"] for why, n in report["rows"]["dropped"].items() if n]:
        sections += ["<h2>Rows that were dropped</h2>", table(["why", "rows"], dropped, 1)]
    if report.get("drift"):
        sections += ["<h2>Drift since the last snapshot</h2>", _drift(report["drift"])]
    if kind := report.get(report["kind"]):
        sections += [f"<h2>Figures of this kind ({escape(report['kind'])})</h2>", _figures(kind)]
    if plots:
        sections += ["<h2>Pictures</h2>", *map(picture, plots)]
    return page(f"{name}: its rows", sections)


def _sentence(report: Report) -> str:
    rows = report["rows"]
    classes = f", {len(report['classes'])} classes" if report.get("classes") else ""
    return (
        f"{rows['kept']:,} of {rows['read']:,} rows of {report['source']['name']} were kept. "
        f"{report['target']} is predicted from {', '.join(report['inputs'])}{classes}."
    )


def _splits(report: Report) -> str:
    rows = [
        [split, f"{side['rows']:,}", f"{100 * side['share']:.1f} %", f"{side['groups']:,}"]
        for split, side in report["splits"].items()
    ]
    return table(["split", "rows", "share", "groups"], rows, 1)


def _drift(drift: Mapping[str, Report]) -> str:
    rows = [
        [name, f"{found['psi']:.4f}", f"{found['p_value']:.2g}"]
        for name, found in sorted(drift.items(), key=lambda item: -item[1]["psi"])
    ]
    return table(["column", "stability index", "p (chi-square)"], rows, 1)


def _figures(kind: Mapping[str, Report]) -> str:
    """Whatever the kind of rows says about itself, a line each."""
    names = list(dict.fromkeys(name for side in kind.values() for name in side))
    rows = [[name, *(_shown(side.get(name, "")) for side in kind.values())] for name in names]
    return table(["figure", *kind], rows, 4)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_shown(found)}" for name, found in value.items())
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return str(value)
