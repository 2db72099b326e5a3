"""The figures of a sweep that can be pointed at and zoomed, on one page that needs nothing else.

One page: plotly's 4.8 MB stand in it once, so that it opens alone, without a network, also from
MLflow's list of artifacts, which shows a page without the files beside it.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
from optuna import visualization
from optuna.trial import FrozenTrial
from plotly.offline import get_plotlyjs

from tasks.evaluation.html_page import page
from tasks.sweep.importance import Importance
from tasks.sweep.outcome import Outcome, quietly
from tasks.sweep.scale import broken

COLOUR, BEST, CHANCE = "#0072B2", "#D55E00", "#BBBBBB"
PANEL = 260
"""Pixels of one panel's side."""
Section = tuple[str, go.Figure]
"""A heading and its figure."""


def parallel(outcome: Outcome, objective: int, names: Sequence[str]) -> go.Figure:
    """One line a trial."""
    with quietly():
        figure = visualization.plot_parallel_coordinate(
            outcome.alone(objective), list(names), target_name=outcome.objectives[objective]
        )
    # Optuna cuts names at 20 letters, where dotted ones begin to differ.
    labels = [outcome.objectives[objective], *sorted(names)]
    figure.update_xaxes(ticktext=[broken(name).replace("\n", "<br>") for name in labels])
    return figure.update_layout(width=max(960, 125 * len(labels)), height=480)


def importance(found: Sequence[Importance]) -> go.Figure:
    """A bar a parameter."""
    words = ["" if one.stands_out else "cannot be told from chance" for one in found]
    bars = go.Bar(
        x=[one.share for one in found],
        y=[one.parameter for one in found],
        marker_color=[COLOUR if one.stands_out else CHANCE for one in found],
        text=[f"{one.share:.0%}" for one in found],
        customdata=[
            f"p = {one.p_value:.3f} {word}" for one, word in zip(found, words, strict=True)
        ],
        hovertemplate="%{y}: %{text}<br>%{customdata}<extra></extra>",
        orientation="h",
    )
    figure = go.Figure(bars)
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(title="share of the importance (PED-ANOVA); grey: chance", tickformat=".0%")
    return figure.update_layout(height=160 + 30 * len(found))


def slices(outcome: Outcome, objective: int, names: Sequence[str]) -> go.Figure:
    """A panel a parameter."""
    with quietly():
        figure = visualization.plot_slice(
            outcome.alone(objective), list(names), target_name=outcome.objectives[objective]
        )
    return figure.update_layout(width=max(960, PANEL * len(names)), height=420)


def contours(outcome: Outcome, objective: int, names: Sequence[str]) -> go.Figure:
    """A panel a pair of parameters."""
    with quietly():
        figure = visualization.plot_contour(
            outcome.alone(objective), list(names), target_name=outcome.objectives[objective]
        )
    return figure.update_layout(width=960, height=560 if len(names) == 2 else 860)


def curves(outcome: Outcome) -> go.Figure:
    """What trials reported on their way."""
    with quietly():
        figure = visualization.plot_intermediate_values(outcome.study)
    return figure.update_layout(height=480, yaxis_title=outcome.objectives[0])


def rates(outcome: Outcome, objective: int, names: Sequence[str]) -> go.Figure:
    """The score over each learning rate; hollow at the foot where a trial was pruned."""
    figure = go.Figure()
    for name in names:
        tried = [trial for trial in outcome.finished if name in trial.params]
        scores = [trial.values[objective] for trial in tried]
        figure.add_scatter(**_points(tried, name, scores), name=name)
        stopped = [trial for trial in outcome.pruned if name in trial.params]
        if stopped:
            floor = [min(scores, default=0.0)] * len(stopped)
            figure.add_scatter(**_points(stopped, name, floor), name=f"{name}, pruned")
            figure.data[-1].marker.symbol = "circle-open"
    figure.update_xaxes(type="log", title="learning rate")
    figure.update_yaxes(title=outcome.objectives[objective])
    return figure.update_layout(height=460, showlegend=True)


def front(outcome: Outcome) -> go.Figure:
    """What no other trial beats in all objectives; of two or three."""
    with quietly():
        figure = visualization.plot_pareto_front(
            outcome.study, target_names=list(outcome.objectives)
        )
    return figure.update_layout(height=560)


def page_of(title: str, text: str, sections: Sequence[Section]) -> str:
    """The whole page: the text, then each figure under its heading."""
    parts = [f"<p>{escape(text)}</p>"]
    if sections:
        parts.append(f"<script>{get_plotlyjs()}</script>")
    for place, (heading, figure) in enumerate(sections):
        figure.update_layout(title=None, margin={"t": 30, "l": 60, "r": 20, "b": 60})
        drawn = figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=f"figure-{place}",  # Its own would differ from call to call.
            config={"displaylogo": False},
        )
        parts.append(f'<h2>{escape(heading)}</h2><div style="overflow-x:auto">{drawn}</div>')
    return page(title, parts)


def _points(trials: Sequence[FrozenTrial], name: str, scores: Sequence[float]) -> dict[str, Any]:
    return {
        "x": [trial.params[name] for trial in trials],
        "y": scores,
        "mode": "markers",
        "text": [f"trial {trial.number}" for trial in trials],
        "hovertemplate": "%{text}: %{x:.3g}, %{y:.4g}",
    }
