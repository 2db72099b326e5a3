"""The project file: one YAML, frozen models, every typo refused with its line."""

from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from tasks.compression.config import CompressConfig
from tasks.compression.parts import check_aware, check_provider, check_prunings
from tasks.data.config import DataConfig
from tasks.evaluation.config import WITHOUT_VALUES, BudgetConfig, EvaluateConfig
from tasks.packaging.deploy import DeployConfig
from tasks.promotion.config import METRICS, GatePolicy, PromoteConfig
from tasks.sweep.config import DeployedObjective, SweepConfig
from tasks.sweep.picking import picks
from tasks.sweep.shapes import shapes_of
from tasks.training.architectures import STUDENTS, TEACHERS, StudentConfig, TeacherConfig
from tasks.training.config import ComputeConfig, Name
from tasks.training.sklearn_architecture import SklearnEstimator, check_task

Auto = Literal["auto"]
"""Left to a search."""
USUAL_DROP = 0.01
"""What a search for a smaller model may lose of the gate's metric where no budget is given."""
SHAPES_TRIED = 16
MADE_OF = ("text", "table")
"""Kinds of which rows can be made; others are varied in training, by a model's `augment`."""


def with_models(values: Any) -> Any:
    """The fields of a project file, with teacher and students of its kind where it names none."""
    if not isinstance(values, dict) or not isinstance(values.get("data"), dict):
        return values
    task = str(values["data"].get("task", "classification"))
    kind = task if task in TEACHERS else values["data"].get("kind", "text")
    if kind not in TEACHERS:
        return values
    teacher = values.get("teacher", {})
    if isinstance(teacher, dict) and "model" not in teacher:
        teacher = {"model": TEACHERS[kind].model, **teacher}
    usual = [student for student in STUDENTS[kind] if task in student.tasks]
    students = [student.model_dump(mode="json") for student in usual or STUDENTS[kind]]
    return {"students": students, **values, "teacher": teacher}


def with_metric(values: Any) -> Any:
    """The fields of a project file, with the gate's metric of its task where it names none."""
    if not isinstance(values, dict) or not isinstance(values.get("data"), dict):
        return values
    gate, task = values.get("gate", {}), values["data"].get("task", "classification")
    if task in METRICS and isinstance(gate, dict):
        return {**values, "gate": {"metric": METRICS[task][0], **gate}}
    return values


def with_slices(values: Any) -> Any:
    """The fields of a project file, with the slices that are no inputs kept beside its rows."""
    if not isinstance(values, dict) or not isinstance(values.get("data"), dict):
        return values
    data, evaluate = values["data"], values.get("evaluate")
    asked = _names(evaluate, "slices") if isinstance(evaluate, dict) else []
    beside = _names(data, "beside")
    known = [*_names(data, "inputs"), *beside, data.get("target")]
    others = [name for name in asked if name not in known]
    return {**values, "data": {**data, "beside": [*beside, *others]}} if others else values


def _names(section: dict[str, Any], field: str) -> list[str]:
    """The names in a list of a section; none where something else stands."""
    found = section.get(field)
    return [n for n in found if isinstance(n, str)] if isinstance(found, list | tuple) else []


def with_search(values: Any) -> Any:
    """The fields of a project file whose `compress` is `auto`, with the search that this means."""
    if not isinstance(values, dict) or values.get("compress") != "auto":
        return values
    given, budget = values.get("sweep") or {}, values.get("budget") or {"max_drop": USUAL_DROP}
    limited = [name for name in get_args(DeployedObjective) if name in budget]
    objectives = ["quality", *(limited or ("p95_ms", "size_mb"))]
    try:
        space = shapes_of(values["students"][0], 0)
    except (ValidationError, LookupError, TypeError):
        space = {}  # what is wrong with the student is said of the student
    usual = {
        "space": {name: dimension.model_dump(mode="json") for name, dimension in space.items()},
        "budget": {"trials": SHAPES_TRIED},
    }
    search = {"objectives": objectives, **given.get("search", {})}
    whole = {**usual, **given, "search": search}
    return {**values, "compress": {}, "budget": budget, "sweep": whole}


def no_word(compress: Any) -> Any:
    """The section `compress`: `auto` has been replaced by one, and no other word is known."""
    if isinstance(compress, str):
        raise ValueError(f"{compress!r} must be auto or a section")
    return compress


class ScheduleConfig(BaseModel):
    """When the flow runs by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    cron: str
    timezone: str = "UTC"


class Project(BaseModel):
    """All that one retraining is asked to do."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Name
    """Of the MLflow experiment, the registered model and the ledger."""
    data: DataConfig
    compute: ComputeConfig = ComputeConfig()
    teacher: TeacherConfig = TEACHERS["text"]
    """Left out, the usual one of the kind of data."""
    sweep: SweepConfig = SweepConfig()
    students: Annotated[tuple[StudentConfig, ...], Field(min_length=1)] = STUDENTS["text"]
    """Left out, the usual ones of the kind of data."""
    compress: Annotated[
        CompressConfig, BeforeValidator(no_word, json_schema_input_type=Auto | CompressConfig)
    ] = CompressConfig()
    """`auto`: the first student's sizes, how it is taught, its rate and its form are searched as
    one, and the budget picks: left out, the fastest within 0.01 of the best."""
    budget: BudgetConfig = BudgetConfig()
    deploy: DeployConfig = DeployConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    gate: GatePolicy = GatePolicy()
    promote: PromoteConfig | None = None
    """Must be written down before the project is put on a schedule."""
    schedule: ScheduleConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _have_models(cls, values: Any) -> Any:
        return with_search(with_metric(with_models(with_slices(values))))

    @property
    def searches(self) -> bool:
        """Whether a retraining looks for settings first: for the best, or where several objectives
        are traded for what the budget picks."""
        search = self.sweep.search
        decides = len(search.objectives) == 1 or picks(self.budget, search.objectives)
        return bool(self.sweep.space) and search.when != "never" and decides

    @field_validator("students")
    @classmethod
    def _have_names_of_their_own(
        cls, students: tuple[StudentConfig, ...]
    ) -> tuple[StudentConfig, ...]:
        names = ["teacher", *(student.name for student in students)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"name {twice[0]} stands twice; each student needs a name of its own")
        return students

    @model_validator(mode="after")
    def _proves_its_task(self) -> "Project":
        allowed = METRICS[self.data.task]
        if self.gate.metric not in allowed:
            raise ValueError(
                f"gate.metric {self.gate.metric}: task {self.data.task} is proven by "
                f"{' or '.join(allowed)}"
            )
        return self

    @model_validator(mode="after")
    def _calibrates_confidence(self) -> "Project":
        if self.evaluate.calibrate != "none" and self.data.task != "classification":
            raise ValueError(
                f"evaluate.calibrate {self.evaluate.calibrate}: task {self.data.task} answers "
                "without a confidence, only none is allowed"
            )
        return self

    @model_validator(mode="after")
    def _divides_by_values(self) -> "Project":
        for name in self.evaluate.slices:
            if name == self.data.target:
                raise ValueError(
                    f"evaluate.slices {name!r} is data.target, by which the report divides anyway"
                )
            if name in self.data.inputs and self.data.kind in WITHOUT_VALUES:
                raise ValueError(
                    f"evaluate.slices {name!r}: an input of kind {self.data.kind} has no values to "
                    "divide by, a column that is no input may have"
                )
        return self

    @model_validator(mode="after")
    def _reads_its_data(self) -> "Project":
        for config in (self.teacher, *self.students):
            if self.data.kind not in config.kinds:
                raise ValueError(
                    f"model {config.model} of {config.name} reads {' or '.join(config.kinds)}, "
                    f"data.kind is {self.data.kind}"
                )
            if self.data.task not in config.tasks:
                raise ValueError(
                    f"model {config.model} of {config.name} learns {' or '.join(config.tasks)}, "
                    f"data.task is {self.data.task}"
                )
            if isinstance(config, SklearnEstimator):
                check_task(config, self.data.kind, self.data.task)
        return self

    @model_validator(mode="after")
    def _prunes_what_is_there(self) -> "Project":
        check_prunings(self.compress.prune, self.teacher, self.students)
        return self

    @model_validator(mode="after")
    def _rounds_what_can_learn(self) -> "Project":
        pruned = [self.teacher] if any(p.of == "teacher" for p in self.compress.prune) else []
        check_aware(self.compress.quantize, [*self.students, *pruned])
        check_provider(self.compress.quantize, self.deploy.provider)
        return self

    @model_validator(mode="after")
    def _has_answers_to_mean(self) -> "Project":
        teachers = self.compress.distil.teachers
        if teachers > 1 and self.data.task == "generation":
            raise ValueError(
                f"compress.distil.teachers {teachers}: of task generation the likeliest tokens "
                "alone are kept, which have no mean; only 1 is allowed"
            )
        return self

    @model_validator(mode="after")
    def _has_labels_to_do_without(self) -> "Project":
        distil, data = self.compress.distil, self.data
        if distil.has_unlabelled and (data.kind == "interactions" or data.task == "generation"):
            raise ValueError(
                f"compress.distil.unlabelled and made_rows: task {data.task} of kind {data.kind} "
                "learns what happened or was written, every row is labelled; leave them out"
            )
        if distil.made_rows and data.kind not in MADE_OF:
            raise ValueError(
                f"compress.distil.made_rows {distil.made_rows}: rows are made of kinds "
                f"{' and '.join(MADE_OF)}, data.kind is {data.kind}; only 0 is allowed"
            )
        return self

    @model_validator(mode="after")
    def _have_features_to_hint_at(self) -> "Project":
        learners = [student for student in self.students if student.is_taught]
        for config in (self.teacher, *learners) if self.compress.distil.has_hints else ():
            if not getattr(config, "has_features", False):
                raise ValueError(
                    f"compress.distil.features and relations: model {config.model} of "
                    f"{config.name} has no linear layer at its end, only 0 is allowed"
                )
        return self

    @model_validator(mode="after")
    def _have_tokens_to_hint_at(self) -> "Project":
        learners = [student for student in self.students if student.is_taught]
        for config in (self.teacher, *learners) if self.compress.distil.has_token_hints else ():
            if not getattr(config, "has_attention", False):
                raise ValueError(
                    f"compress.distil.hidden, attention and token_relations: model {config.model} "
                    f"of {config.name} is no transformer of text, only 0 is allowed"
                )
            if config is not self.teacher and getattr(config, "frozen", False):
                raise ValueError(
                    f"compress.distil.hidden, attention and token_relations: frozen true of "
                    f"{config.name} leaves nothing that reads tokens to be trained"
                )
        if self.compress.distil.attention and any(prune.heads for prune in self.compress.prune):
            raise ValueError(
                "compress.distil.attention is learned by as many heads as the teacher has, and "
                "compress.prune removes heads; token_relations compares any"
            )
        return self

    @model_validator(mode="after")
    def _share_their_tokens(self) -> "Project":
        """A student learns from the teacher's tokens, which are learned from the rows it sees."""
        for student in self.students if self.data.task == "generation" else ():
            for name in ("vocab_size", "max_rows"):
                ours, theirs = getattr(student, name), getattr(self.teacher, name)
                if ours != theirs:
                    raise ValueError(
                        f"{name} {ours} of {student.name} must be the teacher's, {theirs}: they "
                        "share their tokens"
                    )
        return self
