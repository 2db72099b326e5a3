"""What a project file declares about its rows."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator


class ColumnCheck(BaseModel):
    """What the cells of one column must be."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    type: Literal["number", "integer", "boolean", "moment", "text"] | None = None
    min: float | None = None
    """The least that a number may be."""
    max: float | None = None
    """The most that a number may be."""
    missing: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the rows in which nothing may stand."""
    values: tuple[bool | int | float | str, ...] = ()
    """The values that are allowed; left out, any."""

    @model_validator(mode="after")
    def _has_a_range(self) -> "ColumnCheck":
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} must not be above max {self.max:g}")
        bounded = self.min is not None or self.max is not None
        if bounded and self.type not in (None, "number", "integer"):
            raise ValueError(f"min and max are for numbers, type is {self.type}")
        return self


class FreshCheck(BaseModel):
    """How old the newest row may be."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    column: str
    """Holds ISO 8601 dates or times."""
    days: PositiveFloat


class ChecksConfig(BaseModel):
    """What must hold before anything is trained; a breach stops the run."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rows: PositiveInt | None = None
    """The fewest rows that the source may have."""
    labels: tuple[bool | int | float | str, ...] = ()
    """The classes of the target, no more and no fewer."""
    columns: dict[str, ColumnCheck] = {}
    fresh: FreshCheck | None = None
    drift: PositiveFloat | None = 0.2
    """Population stability index, against the last snapshot, above which an input is called
    drifted: a warning, never a stop. Null: not looked at."""
