"""The project file: one YAML, frozen models, every typo refused with its line."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.compression.config import CompressConfig
from tasks.data.config import DataConfig
from tasks.evaluation.config import BudgetConfig
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.sweep.config import SweepConfig
from tasks.training.config import ComputeConfig, Name, StudentConfig, TeacherConfig

DEFAULT_STUDENTS = (
    StudentConfig(name="minilm-2", model="minilm", layers=2, feed_forward=768),
    StudentConfig(name="ngram-bag", model="ngram_bag", epochs=5, batch_size=64),
)


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
    teacher: TeacherConfig = TeacherConfig()
    sweep: SweepConfig = SweepConfig()
    students: Annotated[tuple[StudentConfig, ...], Field(min_length=1)] = DEFAULT_STUDENTS
    compress: CompressConfig = CompressConfig()
    budget: BudgetConfig = BudgetConfig()
    gate: GatePolicy = GatePolicy()
    promote: PromoteConfig | None = None
    """Must be written down before the project is put on a schedule."""
    schedule: ScheduleConfig | None = None

    @field_validator("students")
    @classmethod
    def _have_names_of_their_own(
        cls, students: tuple[StudentConfig, ...]
    ) -> tuple[StudentConfig, ...]:
        names = [student.name for student in students]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"name {twice[0]} stands twice; each student needs a name of its own")
        return students
