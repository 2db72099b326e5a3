"""What a sweep leaves to look at: a picture for each question, and one interactive page of all."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import optuna
import plotly.graph_objects as go

from tasks.sweep import course_pictures, interactive, pictures
from tasks.sweep.importance import Importance, importances
from tasks.sweep.outcome import Outcome, outcome_of
from tasks.sweep.summary import told

PAGE = "sweep.html"
MOST_AXES, MOST_SLICES, MOST_PAIRED = 9, 12, 4
"""Parameters of a parallel, a slice and a contour picture; the most important ones are shown."""
MOST_TRADED = 4
"""Objectives of a front: quality, speed, size and memory are six pairs."""


@dataclass(frozen=True, slots=True)
class View:
    """One question, answered by a picture and by a figure that can be pointed at."""

    name: str
    """Of its file, without the ending."""
    heading: str
    draw: Callable[[Path], Path]
    figure: Callable[[], go.Figure]


def write_pages(study: optuna.Study, folder: Path, *, objectives: Sequence[str]) -> list[Path]:
    """Write `sweep.html`, with everything in it, and a PNG for each view; their paths.

    Views: `parallel_coordinates`, `importance`, `slice`, `contour`, `rate` (of several objectives
    one each, `slice_<objective>`), `learning_curves`, `pareto_front`. What would show nothing (one
    trial, one parameter, no reported values, equal scores) is left out; the page is always there.
    `objectives` are names in the study's order, ValueError unless there is one for each.
    """
    outcome = outcome_of(study, objectives)
    found = [importances(outcome, objective) for objective in range(len(objectives))]
    views = [
        *_front(outcome),
        *(
            view
            for objective, each in enumerate(found)
            if len(outcome.finished) > 1 and outcome.differs(objective)
            for view in _of_parameters(outcome, objective, each)
        ),
        *_curves(outcome),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    sections = [(view.heading, view.figure()) for view in views]
    html = folder / PAGE
    html.write_text(interactive.page_of("Sweep", told(outcome, found), sections), encoding="utf-8")
    return [html, *(view.draw(folder / f"{view.name}.png") for view in views)]


def _front(outcome: Outcome) -> list[View]:
    count = len(outcome.objectives)
    if not 2 <= count <= MOST_TRADED or len(outcome.finished) < 2:
        return []
    if not any(outcome.differs(objective) for objective in range(count)):
        return []
    draw = partial(course_pictures.draw_front, outcome)
    return [View("pareto_front", "Pareto front", draw, partial(interactive.front, outcome))]


def _curves(outcome: Outcome) -> list[View]:
    trials = (*outcome.finished, *outcome.pruned)
    if not course_pictures.reported(outcome) or all(len(t.intermediate_values) < 2 for t in trials):
        return []
    draw = partial(course_pictures.draw_curves, outcome)
    return [View("learning_curves", "Learning curves", draw, partial(interactive.curves, outcome))]


def _of_parameters(outcome: Outcome, objective: int, found: Sequence[Importance]) -> list[View]:
    """What shows parameters against one objective, the most important ones where not all fit."""
    ranked = [one.parameter for one in found] or list(outcome.parameters)
    name = outcome.objectives[objective]
    several = len(outcome.objectives) > 1
    ending = f"_{re.sub(r'[^A-Za-z0-9_]+', '_', name)}" if several else ""
    words = f": {name}" if several else ""
    rates = [each for each in outcome.parameters if each.rpartition(".")[2] == "lr"]

    def view(kind: str, heading: str, names: Sequence[str]) -> View:
        draw, figure = DRAWN[kind]
        return View(
            f"{kind}{ending}",
            f"{heading}{words}",
            partial(draw, outcome, objective, names),
            partial(figure, outcome, objective, names),
        )

    views = []
    if len(ranked) > 1 and any(one.share > 0 for one in found):
        draw = partial(pictures.draw_importances, found, f"What mattered for {name}")
        figure = partial(interactive.importance, found)
        views.append(View(f"importance{ending}", f"Parameter importance{words}", draw, figure))
    if len(ranked) > 1:
        views.append(view("parallel_coordinates", "Parallel coordinates", ranked[:MOST_AXES]))
        views.append(view("contour", "Contour", ranked[:MOST_PAIRED]))
    if ranked:
        views.append(view("slice", "Slice", ranked[:MOST_SLICES]))
    if rates:
        views.append(view("rate", "Learning rate", rates))
    return views


DRAWN: dict[str, tuple[Callable[..., Path], Callable[..., go.Figure]]] = {
    "parallel_coordinates": (pictures.draw_parallel, interactive.parallel),
    "contour": (pictures.draw_contours, interactive.contours),
    "slice": (pictures.draw_slices, interactive.slices),
    "rate": (course_pictures.draw_rates, interactive.rates),
}
