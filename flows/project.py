"""The project file: one YAML, frozen models, every typo refused with its line."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.compression.config import CompressConfig
from tasks.compression.parts import check_prunings
from tasks.data.config import DataConfig
from tasks.evaluation.config import WITHOUT_VALUES, BudgetConfig, EvaluateConfig
from tasks.promotion.config import METRICS, GatePolicy, PromoteConfig
from tasks.sweep.config import SweepConfig
from tasks.training.architectures import STUDENTS, TEACHERS, StudentConfig, TeacherConfig
from tasks.training.config import ComputeConfig, Name
from tasks.training.sklearn_architecture import SklearnEstimator, check_task


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
    compress: CompressConfig = CompressConfig()
    budget: BudgetConfig = BudgetConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    gate: GatePolicy = GatePolicy()
    promote: PromoteConfig | None = None
    """Must be written down before the project is put on a schedule."""
    schedule: ScheduleConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _have_models(cls, values: Any) -> Any:
        return with_metric(with_models(values))

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
    def _divides_by_inputs(self) -> "Project":
        strange = [name for name in self.evaluate.slices if name not in self.data.inputs]
        if strange:
            raise ValueError(
                f"evaluate.slices {strange[0]!r} must be one of data.inputs: "
                f"{', '.join(self.data.inputs) or 'none is named'}"
            )
        if self.evaluate.slices and self.data.kind in WITHOUT_VALUES:
            raise ValueError(
                f"evaluate.slices {self.evaluate.slices[0]!r}: kind {self.data.kind} has no "
                "columns with values to divide by, only none is allowed"
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
    def _has_answers_to_mean(self) -> "Project":
        teachers = self.compress.distil.teachers
        if teachers > 1 and self.data.task == "generation":
            raise ValueError(
                f"compress.distil.teachers {teachers}: of task generation the likeliest tokens "
                "alone are kept, which have no mean; only 1 is allowed"
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
