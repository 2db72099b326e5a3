"""What a project file says about models and how they are trained."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class ComputeConfig(BaseModel):
    """Where training runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Ray Train workers of the teacher (DDP); students train one to a worker, side by side."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """`auto`: bfloat16 autocast where the hardware multiplies it, float32 elsewhere."""


class TrainConfig(BaseModel):
    """One training: rows, passes, optimizer. AdamW with a one-cycle schedule."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kinds: ClassVar[tuple[str, ...]] = ()
    """Kinds of data that the architecture reads."""
    usual_lr: ClassVar[float] = 1e-3
    """Peak rate that serves where nobody searches."""

    row_ms: ClassVar[float] = 0.1
    """Milliseconds of training a row on one of two cores, for the plan."""

    name: Name = "teacher"
    """Of a student; each has its own."""
    epochs: PositiveInt = 2
    batch_size: PositiveInt = 32
    """Rows per optimizer step over all workers."""
    lr: PositiveFloat | Literal["auto"] = "auto"
    """Peak rate; `auto` asks the range test and sweep (teacher) or the usual one (student)."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    max_rows: PositiveInt | None = None
    """Train on this many rows, drawn by class."""
    seed: int = 7
