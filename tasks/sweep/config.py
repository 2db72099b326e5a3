"""What a project file says about the search for a learning rate."""

from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from tasks.training.technique import ScheduleName


class SweepConfig(BaseModel):
    """Range test first, then a short confirming sweep around its suggestion."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    lr: tuple[PositiveFloat, PositiveFloat] | None = None
    """Lowest and highest rate that may be chosen; left out, the decade around the usual rate."""
    trials: Annotated[int, Field(ge=1, le=64)] = 4
    seeds: Annotated[int, Field(ge=1, le=16)] = 1
    """Trainings of each rate, from other first weights on other rows."""
    schedules: tuple[ScheduleName, ...] = ()
    """Tried in turn with the rates, the best one kept; left out, the teacher's own."""
    rows: PositiveInt = 750
    """Training rows of one trial."""
    epochs: PositiveInt = 1
    """Passes of one trial over its rows; a network that learns from few needs more than one."""
    max_seconds: PositiveFloat = 90.0
    """No new trial starts past this; range test included."""

    def rates(self, usual: float) -> tuple[float, float]:
        """The interval, around the architecture's `usual` rate when none is given."""
        return self.lr or (usual / 10**0.5, usual * 10**0.5)

    @field_validator("schedules")
    @classmethod
    def _of_one_kind(cls, schedules: tuple[ScheduleName, ...]) -> tuple[ScheduleName, ...]:
        if len(set(schedules)) < len(schedules):
            raise ValueError(f"{', '.join(schedules)}: each schedule once")
        return schedules

    @model_validator(mode="after")
    def _is_an_interval(self) -> "SweepConfig":
        if self.lr and self.lr[0] >= self.lr[1]:
            raise ValueError(f"lowest rate {self.lr[0]} must be below the highest {self.lr[1]}")
        return self
