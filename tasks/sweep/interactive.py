"""The figures of a sweep that can be pointed at and zoomed, on one page that needs nothing else.

One page: plotly's 4.8 MB stand in it once, so that it opens alone, without a network, also from
MLflow's list of artifacts, which shows a page without the files beside it.
"""

from collections.abc import Sequence
from html import escape
from itertools import combinations
from typing import Any

import numpy as np
import plotly.graph_objects as go
from optuna import visualization
from optuna.trial import FrozenTrial
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from tasks.evaluation.html_page import page
from tasks.sweep.importance import Importance
from tasks.sweep.outcome import Outcome, quietly
from tasks.sweep.scale import broken, scale_of
from tasks.sweep.surface import CELLS_G, surface_of

COLOUR, BEST, CHANCE = "#0072B2", "#D55E00", "#BBBBBB"
COLUMNS = 3
"""Contours side by side."""
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
    figure.update_xaxes(ticktext=[_lines(name) for name in labels])
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
    """A panel a pair of parameters: mean of the trials near a place, and the trials.

    Not Optuna's, whose grid has a cell for every pair of trials: 68 MB for a thousand.
    """
    pairs = list(combinations(names, 2))
    columns = min(COLUMNS, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = make_subplots(rows, columns, horizontal_spacing=0.11, vertical_spacing=0.3 / rows)
    scores_N = np.array(outcome.scores(objective))
    for index, pair in enumerate(pairs):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        across, upwards = (scale_of(outcome, name) for name in pair)
        x_N, y_N = across.places(outcome.finished), upwards.places(outcome.finished)
        both = ~np.isnan(x_N + y_N)
        look = {"coloraxis": "coloraxis", "showscale": False, "hoverinfo": "skip"}
        surface_YX = surface_of(x_N[both], y_N[both], scores_N[both])
        figure.add_contour(x=CELLS_G, y=CELLS_G, z=surface_YX, opacity=0.7, **look, **place)
        trials = [trial for trial, kept in zip(outcome.finished, both, strict=True) if kept]
        figure.add_scatter(**_spots(trials, pair, objective), x=x_N[both], y=y_N[both], **place)
        for update, scale in ((figure.update_xaxes, across), (figure.update_yaxes, upwards)):
            values, words = zip(*scale.ticks(), strict=True)
            update(title=_lines(scale.name), tickvals=values, ticktext=words, **place)
    shade = "Viridis" if outcome.is_higher_better(objective) else "Viridis_r"
    figure.update_layout(coloraxis={"colorscale": shade}, showlegend=False)
    return figure.update_layout(width=960, height=120 + 310 * rows)


def _spots(trials: Sequence[FrozenTrial], pair: Sequence[str], objective: int) -> dict[str, Any]:
    """How trials look on a contour, and what is said of each."""
    return {
        "mode": "markers",
        "marker": {"color": "black", "size": 4},
        "text": [
            f"trial {trial.number}: {trial.values[objective]:.4g}<br>"
            + "<br>".join(f"{name} {trial.params[name]}" for name in pair)
            for trial in trials
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _lines(name: str) -> str:
    return broken(name).replace("\n", "<br>")


def curves(outcome: Outcome) -> go.Figure:
    """What trials reported on their way."""
    with quietly():
        figure = visualization.plot_intermediate_values(outcome.study)
    return figure.update_layout(height=480, yaxis_title=outcome.objectives[0])


def rates(outcome: Outcome, objective: int, names: Sequence[str]) -> go.Figure:
    """The score over each learning rate; hollow is what a trial had when it was pruned."""
    figure = go.Figure()
    for name in names:
        tried = [trial for trial in outcome.finished if name in trial.params]
        scores = [trial.values[objective] for trial in tried]
        figure.add_scatter(**_points(tried, name, scores), name=name)
        stopped, lasts = outcome.where_pruned(name)
        if stopped:
            hollow = {"mode": "markers", "marker": {"symbol": "circle-open"}}
            figure.add_scatter(x=stopped, y=lasts, name=f"{name}, pruned", **hollow)
    figure.update_xaxes(type="log", title="learning rate")
    figure.update_yaxes(title=outcome.objectives[objective])
    return figure.update_layout(height=460, showlegend=True)


def front(outcome: Outcome) -> go.Figure:
    """What no other trial beats in all objectives; of more than three pair by pair."""
    if len(outcome.objectives) > 3:
        return _front_in_pairs(outcome)
    with quietly():
        figure = visualization.plot_pareto_front(
            outcome.study, target_names=list(outcome.objectives)
        )
    return figure.update_layout(height=560)


def _front_in_pairs(outcome: Outcome) -> go.Figure:
    """A panel a pair of objectives; orange is what no other trial beats in all of them."""
    pairs = list(combinations(range(len(outcome.objectives)), 2))
    rows = -(-len(pairs) // COLUMNS)
    figure = make_subplots(rows, COLUMNS, horizontal_spacing=0.11, vertical_spacing=0.3 / rows)
    front = {trial.number for trial in outcome.study.best_trials}
    groups = {
        ("others", CHANCE): [trial for trial in outcome.finished if trial.number not in front],
        ("front", BEST): [trial for trial in outcome.finished if trial.number in front],
    }
    for index, (across, upwards) in enumerate(pairs):
        place = {"row": index // COLUMNS + 1, "col": index % COLUMNS + 1}
        for (name, colour), trials in groups.items():
            figure.add_scatter(
                x=[trial.values[across] for trial in trials],
                y=[trial.values[upwards] for trial in trials],
                **_spots_of_front(outcome, trials, colour),
                name=name,
                showlegend=not index,
                **place,
            )
        figure.update_xaxes(title=outcome.objectives[across], **place)
        figure.update_yaxes(title=outcome.objectives[upwards], **place)
    return figure.update_layout(width=960, height=120 + 310 * rows)


def _spots_of_front(outcome: Outcome, trials: Sequence[FrozenTrial], colour: str) -> dict[str, Any]:
    """How trials look among objectives, and what is said of each."""
    return {
        "mode": "markers",
        "marker": {"color": colour},
        "text": [
            f"trial {trial.number}<br>"
            + "<br>".join(
                f"{name} {value:.4g}"
                for name, value in zip(outcome.objectives, trial.values, strict=True)
            )
            for trial in trials
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


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
