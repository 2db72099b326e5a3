"""What a project file says about the search for a learning rate."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator


class SweepConfig(BaseModel):
    """Range test first, then a short confirming sweep around its suggestion."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    lr: tuple[PositiveFloat, PositiveFloat] = (2e-5, 2e-4)
    """Lowest and highest rate that may be chosen."""
    trials: Annotated[int, Field(ge=1, le=64)] = 4
    rows: PositiveInt = 750
    """Training rows of one trial."""
    max_seconds: PositiveFloat = 90.0
    """No new trial starts past this; range test included."""

    @model_validator(mode="after")
    def _is_an_interval(self) -> "SweepConfig":
        if self.lr[0] >= self.lr[1]:
            raise ValueError(f"lowest rate {self.lr[0]} must be below the highest {self.lr[1]}")
        return self
