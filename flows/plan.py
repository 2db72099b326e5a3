"""What a run would do, before it is paid for: which steps are kept, and minutes for the rest."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from flows.project import Project
from flows.retrain import steps
from flows.sweep_target import learner_of, model_of, pruning_of, root_of, student_of
from tasks.compression.parts import is_aware
from tasks.kept_result import kept_result
from tasks.step import PLAN
from tasks.training.architectures import StudentConfig
from tasks.training.config import TrainConfig
from tasks.training.sklearn_architecture import SklearnTeacher

ROWS = 1000.0
SIDE_BY_SIDE = 2
SIZING_SECONDS = 15.0
"""Of finding one batch size."""


class PlannedStep(NamedTuple):
    """One step of a plan."""

    name: str
    state: str
    """`cached` or `to run`"""
    seconds: float
    """Estimated on two cores; 0 for a cached one."""


class _NotKept(Exception):
    """The first step whose answer is not kept: those after it depend on it."""


def draw_plan(project: Project, train_rows: int, *, look_up: bool) -> list[PlannedStep]:
    """Return the steps in order; without `look_up` (no services) none counts as cached."""
    kept = _kept_steps(project) if look_up else set()
    left_out = {"calibrate_candidate"} if project.evaluate.calibrate == "none" else set()
    left_out |= set() if _num_sized(project) else {"size_batch"}
    left_out |= set() if project.compress.prune else {"prune_model"}
    left_out |= set() if project.compress.distil.has_unlabelled else {"gather_rows"}
    is_any_aware = any(form.aware for form in project.compress.quantize)
    left_out |= set() if is_any_aware else {"train_aware"}
    left_out |= set() if project.evaluate.seeds > 1 else {"compare_seeds", "record_seeds"}
    left_out |= set() if project.searches else SEARCHING
    left_out |= set() if project.compress.quantize else {"quantize_candidate"}
    left_out |= set() if project.compress.prune or project.compress.quantize else {"refuse_idle"}
    return [
        PlannedStep(name, "cached", 0.0)
        if name in kept
        else PlannedStep(name, "to run", round(_estimate(name, project, train_rows), 1))
        for name in SECONDS
        if name not in left_out
    ]


def _kept_steps(project: Project) -> set[str]:
    kept: set[str] = set()

    def answer(step: str, key: str) -> Any:
        result = kept_result(key)
        if result is None:
            kept.discard(step)
            raise _NotKept(step)
        kept.add(step)
        return result

    token = PLAN.set(answer)
    try:
        steps(project)
    except _NotKept:
        pass
    finally:
        PLAN.reset(token)
    return kept


def _whole_training(project: Project, rows: int) -> float:
    """Seconds of one trial, all its passes and what it trains ahead of them, or of a training that
    confirms."""
    root = root_of(project)
    model, prune = model_of(project, root), pruning_of(project, root)
    assert isinstance(model, TrainConfig), "the project file was checked"
    trainings = [learner_of(project, root, model)] * (prune.rounds if prune else 1)
    if student_of(project, root):
        trainings.append(model)
    return 1 + sum(
        each.row_ms_in_all
        * min(rows, project.sweep.search.rows or rows, each.max_rows or rows)
        / ROWS
        for each in trainings
    )


def _search(project: Project, rows: int) -> float:
    """Until all trials are made, or the minutes are over; of two trials one is given up early."""
    budget = project.sweep.budget
    seconds = 5 + _whole_training(project, rows) * budget.trials / SIDE_BY_SIDE
    return min(seconds, (budget.minutes or math.inf) * 60)


def _confirm(project: Project, rows: int) -> float:
    """The winner and the present settings, two at a time."""
    return 3 + _whole_training(project, rows) * project.sweep.search.confirm_seeds


def _num_sized(project: Project) -> int:
    """Models whose batch size is found by trying."""
    models = (project.teacher, *project.students)
    return sum(getattr(model, "batch_size", None) == "auto" for model in models)


def _teacher_rows(project: Project, rows: int) -> float:
    return min(rows, project.teacher.max_rows or rows) / ROWS


def _students(project: Project, rows: int) -> float:
    """Each is trained twice, with the teacher and without, and two run side by side; that by each
    seed, where it is taught."""
    return sum(
        (project.evaluate.seeds if student.is_taught else 1)
        * (student.row_ms_in_all + _reading_along(project, student))
        * min(rows, student.max_rows or rows)
        / ROWS
        * _times_made(project)
        for student in project.students
    )


def _reading_along(project: Project, student: StudentConfig) -> float:
    """Milliseconds that all teachers take for a row, over all passes of one of two side by side."""
    if not project.compress.distil.has_token_hints:
        return 0.0
    one = 0.25 * project.teacher.row_ms * getattr(student, "epochs", 0) / SIDE_BY_SIDE
    return one * project.compress.distil.teachers


def _times_made(project: Project) -> int:
    """Rows that are taught, for each that has a label; those of another source are not counted."""
    return 1 + project.compress.distil.made_rows


def _pruned(project: Project, rows: int) -> float:
    """Each recovers twice, as a student learns, and so by each seed; what went is not taken off."""
    models = {"teacher": project.teacher, **{student.name: student for student in project.students}}
    return sum(
        project.evaluate.seeds
        * models[prune.of].row_ms
        * prune.recover.epochs
        * prune.rounds
        * min(rows, prune.recover.max_rows or rows)
        / ROWS
        for prune in project.compress.prune
    )


def _aware(project: Project, rows: int) -> float:
    """Each learns on twice, as a student learns; rounding doubles what a row takes."""
    models = {"teacher": project.teacher, **{s.name: s for s in project.students}}
    pruned = [models[prune.of] for prune in project.compress.prune]
    return sum(
        2 * model.row_ms * form.aware.epochs * min(rows, form.aware.max_rows or rows) / ROWS
        for form in project.compress.quantize
        if form.aware
        for model in (*project.students, *pruned)
        if is_aware(model)
    )


def _estimate(step: str, project: Project, rows: int) -> float:
    """Return wall seconds on two cores, as seen on the shipped projects."""
    if step in LEARNING:
        return LEARNING[step](project, rows)
    fixed, per_thousand = SECONDS[step]
    return fixed + per_thousand * rows / ROWS * (1.0 if project.data.kind == "text" else 0.15)


def _tune(project: Project, rows: int) -> float:
    del rows
    if isinstance(project.teacher, SklearnTeacher):
        return 0
    sweep = project.sweep
    one = 1 + project.teacher.row_ms * 1.8 * sweep.epochs
    return 2 + min(sweep.max_seconds, one * sweep.trials * sweep.seeds)


SEARCHING = {"search_settings", "confirm_settings", "record_sweep"}
LEARNING: dict[str, Callable[[Project, int], float]] = {
    "size_batch": lambda project, rows: SIZING_SECONDS * _num_sized(project),  # noqa: ARG005
    "tune_model": _tune,
    "search_settings": _search,
    "confirm_settings": _confirm,
    "train_teacher": lambda project, rows: (
        (3 + project.teacher.row_ms_in_all * _teacher_rows(project, rows))
        * project.compress.distil.teachers
    ),
    "label_rows": lambda project, rows: (
        2 + 0.25 * project.teacher.row_ms * rows / ROWS * _times_made(project)
    ),
    "train_student": lambda project, rows: 5 + _students(project, rows),
    "prune_model": lambda project, rows: 10 + _pruned(project, rows),
    "train_aware": lambda project, rows: 5 + _aware(project, rows),
    "evaluate_candidate": lambda project, rows: 5 + 0.2 * project.teacher.row_ms * rows / ROWS,
}
"""Steps whose time is that of the models more than of the rows."""
SECONDS: dict[str, tuple[float, float]] = {
    "prepare_data": (2, 0.2),
    "search_settings": (0, 0),
    "confirm_settings": (0, 0),
    "record_sweep": (8, 0),
    "open_run": (1, 0),
    "fit_baseline": (2, 0.3),
    "gather_rows": (2, 0.1),
    "size_batch": (0, 0),
    "tune_model": (0, 0),
    "train_teacher": (0, 0),
    "label_rows": (0, 0),
    "train_student": (0, 0),
    "prune_model": (0, 0),
    "train_aware": (0, 0),
    "record_training": (2, 0),
    "export_model": (10, 0),
    "quantize_candidate": (4, 0),
    "calibrate_candidate": (5, 0.5),
    "measure_costs": (25, 0),
    "refuse_idle": (0.1, 0),
    "evaluate_candidate": (0, 0),
    "compare_seeds": (1, 0),
    "record_seeds": (1, 0),
    "select_candidate": (0, 0),
    "report_quality": (5, 0),
    "record_reports": (4, 0),
    "decide_promotion": (1, 0),
    "register_candidate": (2, 0),
    "promote_model": (1, 0),
    "record_decision": (1, 0),
}
"""The steps in the order of the flow: fixed seconds, and seconds for each thousand training rows of
text; other kinds take about a seventh. Those of `LEARNING` are there.
"""
