"""A candidate's mistakes as a page: who was taken for whom, and the worst ones with reasons."""

from collections.abc import Sequence
from html import escape

from tasks.evaluation.drawing import explained_html, marked, row_html
from tasks.evaluation.html_page import page, percent, table
from tasks.evaluation.language_quality import DEAREST
from tasks.evaluation.probing import Confusion, Mistake

OCCLUDED = (
    "Each part of a row is marked by what it does to the wrong answer: "
    + marked("speaks for it", 0.5)
    + marked("speaks against it", -0.5)
    + " <small>by how much of the mistake goes, or is added, when the part is left out</small>"
)
SURPRISE = (
    "Each token is marked by its surprise: "
    + marked("half of the most", 0.5)
    + f" <small>in bits as a share of {DEAREST:g}; the end of the text is a token too</small>"
)
MOST_EXAMPLES = 5
"""Confusions that are shown with some of their rows; all are in the table."""


def mistakes_page(
    candidate: str,
    kind: str,
    about: tuple[str, str, str],
    confusions: Sequence[Confusion],
    mistakes: Sequence[Mistake],
) -> str:
    """A sentence about all rows, the confusions if there are classes, the worst mistakes.

    `about` is that sentence, what the mistakes are called, and what a mark on a part means (HTML).
    """
    sentence, worst, legend = about
    sections = [f"<p>{escape(sentence)}</p>"]
    if confusions:
        sections += ["<h2>Most frequent confusions</h2>", _table(confusions)]
        sections += [_examples(kind, confusion) for confusion in confusions[:MOST_EXAMPLES]]
    sections += [f"<h2>{escape(worst)}</h2>", _legend(mistakes, legend)]
    sections += [_mistake(kind, mistake) for mistake in mistakes]
    return page(f"{candidate}: its mistakes on the holdout", sections)


def _table(confusions: Sequence[Confusion]) -> str:
    rows = [[c.truth, c.predicted, f"{c.rows:,}", percent(c.share)] for c in confusions]
    return table(["true class", "called", "rows", "of the true class"], rows, 2)


def _examples(kind: str, confusion: Confusion) -> str:
    shown = "".join(
        f"<div>{row_html(kind, row)}<br><small>row {row_id}</small></div>"
        for row_id, row in confusion.examples
    )
    names = f"<b>{escape(confusion.truth)}</b> called <b>{escape(confusion.predicted)}</b>"
    return f'<div>{names}, the surest:<div class="examples">{shown}</div></div>'


def _legend(mistakes: Sequence[Mistake], legend: str) -> str:
    return f'<p class="row">{legend}</p>' if any(m.parts for m in mistakes) else ""


def _mistake(kind: str, mistake: Mistake) -> str:
    return (
        f"<div><b>{escape(mistake.predicted)}</b> {escape(mistake.how_wrong)}, "
        f"{escape(mistake.truth_word)} "
        f"<b>{escape(mistake.truth)}</b> <small>row {mistake.row_id}</small>"
        f'<div class="row">{explained_html(kind, mistake.row, mistake.parts)}</div></div>'
    )
