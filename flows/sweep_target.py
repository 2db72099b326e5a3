"""Which model of a project its sweep is about, and what its trials start from."""

from typing import Any

from flows.project import Project
from tasks.compression.config import PruneConfig
from tasks.packaging.deploy import DeployConfig
from tasks.sweep.picking import Pick
from tasks.sweep.space import Dimension, Values, applies, as_choice, settings_with
from tasks.sweep.target import DISTIL, PRECISION, PRUNE, QUANTIZE, Target, form_of
from tasks.sweep_artifacts import STOPPED, Choice, Confirmed, Searched
from tasks.training.config import TrainConfig

ALLOWED = (
    "a field of teacher, of students.<place>, of compress.prune.<place>, of compress.distil, or "
    "compute.precision"
)
GIVEN_ONCE = ("teachers", "teacher_weights", "unlabelled", "most_unlabelled", "made_rows")
"""What decides the answers that students are taught."""
NO_TRIAL = {
    "name": "it is what the project is called, and no setting",
    "data": "rows are prepared once, and scores on other rows could not be compared",
    "compute": "it says where trainings run: their scores would be alike",
    "sweep": "a search does not vary how it searches",
    "students": "each student is trained in every run: all are candidates already",
    QUANTIZE: "every student is exported as it is and quantised, both are measured in every run, "
    "and the budget chooses: nothing is left to search for but by objectives such as quality and "
    "p95_ms",
    f"{PRUNE}.of": "it says which model is made smaller, and a sweep is about one",
    f"{PRUNE}.name": "it is what the smaller model is called, and no setting",
    **dict.fromkeys(
        (f"{PRUNE}.sparsity", f"{PRUNE}.pattern"),
        "zeros make nothing faster or smaller here: no trial would gain by them",
    ),
    **dict.fromkeys(
        tuple(f"{DISTIL}.{name}" for name in GIVEN_ONCE),
        "trials learn from answers that were given once, before the first of them",
    ),
    "evaluate": "it says what is told of models that were trained: all trials would score alike",
    "budget": "it chooses among candidates that were exported: all trials would score alike",
    "gate": "it decides about candidates that were exported: all trials would score alike",
    "promote": "it says who decides: all trials would score alike",
    "schedule": "it says when, not how, models are trained",
}
"""Why a section, or a field of it, cannot be varied: a trial is one training and its score."""


def root_of(project: Project) -> str:
    """`teacher`, `students.<place>` or `compress.prune.<place>`: what the space names fields of.

    Raises `ValueError` when it is none, or several.
    """
    names = list(project.sweep.space)
    if not names:
        raise ValueError(
            "sweep.space is empty: name what to vary, such as teacher.weight_decay: "
            "{log: [0.0001, 0.1]}"
        )
    roots = {field_root(name, project) for name in names} - {PRECISION, QUANTIZE}
    if roots == {DISTIL} and len(project.students) == 1:
        return "students.0"
    roots.discard(DISTIL)
    prunings = [root for root in roots if root.startswith(f"{PRUNE}.")]
    if len(prunings) == 1 and (student := student_of(project, prunings[0])):
        roots.discard(student)
    if not roots:
        raise ValueError(
            f"sweep.space varies {', '.join(names)} alone: name a field of a model, too"
        )
    if len(roots) > 1:
        raise ValueError(
            f"sweep.space is about {' and '.join(sorted(roots))}: a sweep is about one model"
        )
    [root] = roots
    of_student = [name for name in names if name.startswith(f"{DISTIL}.") or name == QUANTIZE]
    if root == "teacher" and of_student:
        raise ValueError(f"sweep.space is about teacher: {of_student[0]} is about a student")
    return root


def field_root(name: str, project: Project) -> str:
    """The model or pruning that a field is of, or DISTIL, PRECISION or QUANTIZE.

    `ValueError` says why it is none.
    """
    parts = name.split(".")
    if parts[0] == "teacher" and len(parts) > 1:
        return "teacher"
    if parts[0] == "students" and len(parts) > 2 and parts[1].isdecimal():
        return ".".join(parts[:2])
    named = [part for part in parts if not part.isdecimal()]
    sections = [".".join(named[:length]) for length in (3, 2, 1)]
    is_part = name.startswith(f"{PRUNE}.") and len(parts) > 3 and parts[2].isdecimal()
    if is_part and sections[0] not in NO_TRIAL:
        return ".".join(parts[:3])
    if name.startswith(f"{DISTIL}.") and name not in NO_TRIAL:
        return DISTIL
    if name == PRECISION or (name == QUANTIZE and project.sweep.search.is_deployed):
        return name
    why = next((NO_TRIAL[section] for section in sections if section in NO_TRIAL), "")
    raise ValueError(f"{name}: {why}{'; it ' if why else ''}must be {ALLOWED}")


def target_of(project: Project, model: TrainConfig, lr: float) -> Target:
    """What the sweep is about: `model`, whose batch size is known, at `lr` where it says `auto`."""
    root = root_of(project)
    taught = root != "teacher" and model.is_taught
    return Target(
        root=root,
        student=student_of(project, root),
        settings=model.model_dump(mode="json"),
        prune=pruning_of(project, root),
        distil=project.compress.distil if taught else None,
        rows=project.sweep.search.rows,
        lr=lr,
        metric=project.gate.metric,
        form=form_of(project.compress.quantize) if root != "teacher" else None,
        deploy=project.deploy if project.sweep.search.is_deployed else DeployConfig(),
    )


def student_of(project: Project, root: str) -> str | None:
    """`students.<place>` of what is pruned at `root`; None: nothing is, or the teacher."""
    section, _, place = root.rpartition(".")
    if section != PRUNE:
        return None
    of = project.compress.prune[int(place)].of
    return next((f"students.{i}" for i, s in enumerate(project.students) if s.name == of), None)


def place_of(project: Project, root: str) -> str:
    """Of the model that is trained at `root`, or was and is pruned there: `teacher` or
    `students.<place>`."""
    is_pruning = root.startswith(f"{PRUNE}.")
    return (student_of(project, root) or "teacher") if is_pruning else root


def model_of(project: Project, root: str) -> Any:
    """The settings of the model at `root`, or of the one that is pruned there."""
    place = place_of(project, root)
    return project.teacher if place == "teacher" else project.students[int(place.split(".")[1])]


def asked_for(project: Project, root: str) -> dict[str, Any]:
    """What the file says of the model at `root`, and of who teaches it, if anybody does."""
    model, place = model_of(project, root), place_of(project, root)
    models = {place: model}
    if place != "teacher" and model.is_taught:
        models["teacher"] = project.teacher
    return {place: each.model_dump(mode="json") for place, each in models.items()}


def pruning_of(project: Project, root: str) -> PruneConfig | None:
    """The pruning at `root`, recovering on the rows of a trial; None: nothing is pruned there."""
    section, _, place = root.rpartition(".")
    if section != PRUNE:
        return None
    prune, rows = project.compress.prune[int(place)], project.sweep.search.rows
    if rows is None:
        return prune
    recover = prune.recover.model_copy(update={"max_rows": rows})
    return prune.model_copy(update={"recover": recover})


def learner_of(project: Project, root: str, model: TrainConfig) -> TrainConfig:
    """The settings by which a trial of `model` learns, as the project has them."""
    prune = pruning_of(project, root)
    return prune.recovering(model) if prune else model


def scheduled(project: Project, model: TrainConfig, schedule: str | None) -> TrainConfig:
    """The model with the schedule that was found with its rate.

    Not where it is varied itself, and not of an optimizer that has its own.
    """
    is_varied = "teacher.schedule" in project.sweep.space
    if schedule is None or is_varied or model.optimizer == "schedule_free":
        return model
    return model.model_copy(update={"schedule": schedule})


def kept_fixed(project: Project, root: str, model: TrainConfig, lr: float) -> dict[str, Any]:
    """What all trials of `model` had where the project has something else and does not vary it."""
    place = place_of(project, root)
    if pruning_of(project, root) and place == "teacher":
        return {}  # it is trained before, and its recovery follows from it
    asked = model_of(project, root)
    found: dict[str, Any] = {"batch_size": model.batch_size, "schedule": model.schedule}
    if root == "teacher":  # a student's rate follows from its model
        found["lr"] = lr
    return {
        f"{place}.{name}": value
        for name, value in found.items()
        if getattr(asked, name) != value and f"{place}.{name}" not in project.sweep.space
    }


def choice_of(
    found: Searched, confirmed: Confirmed | None, fixed: Values, pick: Pick | None = None
) -> Choice:
    """What a retraining takes of a sweep, with what all trials had: the winner, or of a Pareto
    front what the budget picks, if it is believed.

    Else nothing: the file's settings stay.
    """
    winner, reason = found.winner, ""
    if pick and found.ended != STOPPED:
        reason, winner = f"for the budget, {pick.sentence}", pick.trial.values
    if confirmed:
        reason = (
            f"{reason}; {confirmed.sentence}"
            if reason
            else f"the sweep's winner {confirmed.sentence}"
        )
        winner = winner if confirmed.is_believed else None
    if winner is None:
        why = reason or f"the sweep has no winner ({found.ended})"
        return Choice(values={}, reason=f"those of the file stay; {why}", run=found.run)
    values = {**fixed, **winner}
    named = ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in values.items()
    )
    return Choice(values=values, reason=f"{named}: {reason}", run=found.run)


def with_values(project: Project, values: Values) -> Project:
    """The project with these in the place of its own."""
    return Project.model_validate(settings_with(project.model_dump(mode="json"), values))


def present_values(project: Project, lr: float) -> dict[str, Any]:
    """The values that the project has now, of dimensions that hold them: the first trial.

    `lr` is that of a trial's own passes, where the project says `auto`.
    """
    found: dict[str, Any] = {}
    settings, root = project.model_dump(mode="json"), root_of(project)
    for name, dimension in project.sweep.space.items():
        value = _value(settings, name)
        if name.endswith(".lr") and value == "auto":
            value = lr if name.startswith(f"{root}.") else model_of(project, root).first_lr
        if name == QUANTIZE:
            form = form_of(project.compress.quantize)
            value = form.name if form else "none"
        if applies(dimension, found) and _holds(dimension, value):
            found[name] = value
    return found


def _value(settings: Any, name: str) -> Any:
    for part in name.split("."):
        settings = settings[int(part)] if isinstance(settings, list) else (settings or {}).get(part)
    return as_choice(settings)


def _holds(dimension: Dimension, value: Any) -> bool:
    if dimension.choice:
        return value in dimension.choice
    low, high = dimension.corners
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and low <= value <= high
