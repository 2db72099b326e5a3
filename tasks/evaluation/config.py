"""What a project file says about what answering may cost."""

from pydantic import BaseModel, ConfigDict, PositiveFloat


class BudgetConfig(BaseModel):
    """Limits on the exported artifact, measured here; null means no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    p95_ms: PositiveFloat | None = None
    size_mb: PositiveFloat | None = None
    """Whole bundle, in units of 1,000,000 bytes."""
    memory_mb: PositiveFloat | None = None
    """Peak resident memory of a process that does nothing but answer."""
