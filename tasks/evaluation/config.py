"""What a project file says about what answering may cost, and about what is reported of it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt


class BudgetConfig(BaseModel):
    """Limits on the exported artifact, measured here; null means no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    p95_ms: PositiveFloat | None = None
    size_mb: PositiveFloat | None = None
    """Whole bundle, in units of 1,000,000 bytes."""
    memory_mb: PositiveFloat | None = None
    """Peak resident memory of a process that does nothing but answer."""


class EvaluateConfig(BaseModel):
    """What is reported about the chosen candidate beside its figures; none of it decides."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    slices: tuple[str, ...] = ()
    """Inputs by whose values the holdout is divided, beside those that its kind suggests."""
    slice_rows: Annotated[int, Field(ge=10)] = 50
    """A slice of fewer holdout rows is not judged."""
    probe_rows: PositiveInt = 500
    """Holdout rows that are asked again with typing mistakes, noise or missing cells."""
    mistakes: Annotated[int, Field(ge=1, le=200)] = 20
    """The surest wrong answers, each explained."""
    seed: int = 7
