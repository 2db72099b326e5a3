"""What a project file says about what answering may cost, and about what is reported of it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt


class BudgetConfig(BaseModel):
    """Limits on the exported artifact, measured here; null means no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    p95_ms: PositiveFloat | None = None
    size_mb: PositiveFloat | None = None
    """Whole bundle, in units of 1,000,000 bytes."""
    memory_mb: PositiveFloat | None = None
    """Peak resident memory of a process that does nothing but answer."""
    max_drop: PositiveFloat | None = None
    """How far the gate's metric may be below the teacher's on validation rows (among the trials of
    a search: below the best one's). Where it is given the fastest within all limits is chosen, not
    the best."""


WITHOUT_VALUES = frozenset({"image", "series", "audio"})
"""Kinds whose cells are no values that rows could be divided by."""


class EvaluateConfig(BaseModel):
    """How confidence is set, and what is reported beside figures; none of it decides."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    calibrate: Literal["none", "temperature"] = "none"
    """`temperature`: each bundle divides its logits by a number of its own, fitted on validation
    rows, so that its confidence means what it says; its answers stay (Guo et al. 2017)."""
    slices: tuple[str, ...] = ()
    """Columns by whose values the holdout is divided, beside those that its kind suggests. One that
    `data.inputs` does not name is kept beside the rows, and no input."""
    slice_rows: Annotated[int, Field(ge=10)] = 50
    """A slice of fewer holdout rows is not judged."""
    probe_rows: PositiveInt = 500
    """Holdout rows that are asked again with typing mistakes, noise or missing cells."""
    mistakes: Annotated[int, Field(ge=1, le=200)] = 20
    """The surest wrong answers, each explained."""
    seeds: Annotated[int, Field(ge=1, le=20)] = 1
    """Above 1, each student that is taught and its control are trained, and each pruned model and
    its control recover, by so many seeds in all, and what the teacher is worth is told with its
    interval; `run --thorough` asks for 3."""
    seed: int = 7
