"""Whether every trial of a project's sweep could be made."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from flows.project import Project
from flows.project_errors import allowed_fields, holds_any_name, sentences, unknown_field
from flows.sweep_target import field_root, model_of, root_of, with_values
from flows.unread import why_unread
from tasks.compression.config import PruneConfig
from tasks.sweep.config import SweepConfig
from tasks.sweep.space import Dimension, Values, as_setting, settings_with
from tasks.sweep.target import DISTIL, PRUNE, QUANTIZE, trains_ahead
from tasks.training.sklearn_architecture import SklearnEstimator

HINTS = ("features", "relations", "hidden", "attention", "token_relations")
"""What more is asked of the teacher than its answers, where the file says so."""


def problems(project: Project) -> Iterator[tuple[str, str]]:
    """(dotted name, what is wrong with it) of each dimension with which a trial could not be made.

    A name that is no field, or a field that nothing reads, an end or a choice that its field
    refuses, several models, or one that is not trained by passes.
    """
    space = project.sweep.space
    if not space:
        return
    settings = project.model_dump(mode="json")
    for name, dimension in space.items():
        wrong = _wrong_name(name, project, settings)
        wrong = wrong or (_wrong_forms(dimension) if name == QUANTIZE else "")
        if wrong := wrong or why_unread(name, project):
            yield name, wrong
            return
        for corner in dimension.corners:
            values = {other: allowed[0] for other, allowed in dimension.when.items()}
            if wrong := _refusal(settings, {**values, name: corner}):
                yield name, wrong
                return
    yield from _wrong_hints(project)
    try:
        wrong = _wrong_model(model_of(project, root_of(project)))
    except ValueError as error:
        wrong = str(error)
    if wrong:
        yield next(iter(space)), wrong


def _wrong_model(model: Any) -> str:
    """Why no trial of it can be made; nothing when one can."""
    if not isinstance(model, SklearnEstimator):
        return ""
    return (
        f"{model.estimator} of scikit-learn is fitted in one go: a search goes by passes, and "
        "varies models that are trained by them"
    )


def _wrong_hints(project: Project) -> Iterator[tuple[str, str]]:
    """Hints for which the teacher is not asked by the file, or that no trial may be without."""
    lesson = project.compress.distil
    hints = {
        name: dimension.corners
        for name, dimension in project.sweep.space.items()
        if name.removeprefix(f"{DISTIL}.") in HINTS
    }
    for end in (min, max):
        values = {name: end(corners) for name, corners in hints.items()}  # type: ignore[type-var]
        tried = with_values(project, values).compress.distil
        if (tried.has_hints, tried.has_token_hints) != (lesson.has_hints, lesson.has_token_hints):
            yield (
                next(iter(hints)),
                "the teacher is asked once, before the first trial: say above 0 in compress.distil "
                "what is to be varied, and vary it above 0",
            )
            return


def _wrong_forms(dimension: Dimension) -> str:
    """Why a trial could not be deployed; nothing when each could."""
    lists = [choice for choice in dimension.corners if isinstance(as_setting(choice), list)]
    return f"{lists[0]} is a list: a trial is deployed in one form" if lists else ""


def _wrong_name(name: str, project: Project, settings: dict[str, Any]) -> str:
    """Why there is no such field; nothing when there is one."""
    try:
        root = field_root(name, project)
    except ValueError as error:
        return str(error).partition(": ")[2]
    parts = tuple(int(part) if part.isdecimal() else part for part in name.split("."))
    if wrong := _wrong_place(root, project):
        return wrong
    above = parts[:-1]
    if isinstance(parts[-1], int) or holds_any_name(above, settings):
        return ""
    return "" if parts[-1] in allowed_fields(above, settings) else unknown_field(parts, settings)


def _wrong_place(root: str, project: Project) -> str:
    """Why there is nothing to search at `root`; nothing when there is."""
    section, _, place = root.rpartition(".")
    if section == "students" and int(place) >= len(project.students):
        return f"there are students 0 to {len(project.students) - 1}"
    prunings = project.compress.prune
    if section != PRUNE:
        return ""
    if int(place) >= len(prunings):
        many = f"there are prunings 0 to {len(prunings) - 1}" if prunings else "there is no pruning"
        return f"{many} in {PRUNE}"
    return _wrong_search(prunings[int(place)], project.sweep)


def _wrong_search(prune: PruneConfig, sweep: SweepConfig) -> str:
    """What of the search does not go with what its trials train ahead of their own passes."""
    if not trains_ahead(prune, sweep.space):
        return ""
    search = sweep.search
    asked = {
        f"workers {search.workers}": (search.workers > 1, "by one worker; allowed: 1"),
        f"engine {search.engine}": (
            search.engine == "together",
            "alone; allowed: auto, in_process, actors",
        ),
        f"sampler {search.sampler}": (
            search.sampler == "population",
            "a member goes on from another's weights; allowed: any other sampler",
        ),
        "objectives seconds": (
            "seconds" in search.objectives,
            "once for all that share it: their seconds cannot be compared; leave it out",
        ),
    }
    what = "the rounds before the last" if prune.of == "teacher" else prune.of
    wrong = ((field, why) for field, (is_wrong, why) in asked.items() if is_wrong)
    field, why = next(wrong, ("", ""))
    return field and f"sweep.search.{field}: a trial trains {what} ahead of its passes, {why}"


def _refusal(settings: dict[str, Any], values: Values) -> str:
    """What the project says against these values; nothing when it takes them."""
    changed = settings_with(settings, values)
    try:
        Project.model_validate(changed)
    except ValidationError as error:
        return sentences(error, changed, lambda _: "").splitlines()[0]
    return ""
