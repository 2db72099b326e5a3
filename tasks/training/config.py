"""What a project file says about models and how they are trained."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from tasks.artifacts import Task
from tasks.training.technique import MOVING, OptimizerName, ScoreName, Technique

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


BatchSize = PositiveInt | Literal["auto"]
"""`auto`: the most that pays, found by trying."""
Precision = Literal["auto", "float32", "bfloat16", "float16"]
LR_FACTORS: dict[OptimizerName, float] = {
    **dict.fromkeys(("sgd", "gradient_descent", "momentum", "nesterov"), 100.0),
    "adagrad": 10.0,
    "adadelta": 1000.0,
    "schedule_free": 2.0,
    "lion": 0.3,
}
"""A usual rate against AdamW's: steps of the other optimizers mean something else. Those of
momentum and nesterov add up, to 1 / (1 - momentum) of one."""


class ComputeConfig(BaseModel):
    """Where training runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Ray Train workers of the teacher (DDP); students train one to a worker, side by side."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision = "auto"
    """`auto`: bfloat16 autocast where the hardware multiplies it, float32 elsewhere; `float16`,
    with a scaled loss, on CUDA alone: a CPU took 50 times as long for a step as in bfloat16."""

    @model_validator(mode="after")
    def _is_multiplied(self) -> "ComputeConfig":
        if self.precision == "float16" and self.device == "cpu":
            raise ValueError(
                "compute.precision float16 needs CUDA; on compute.device cpu it must be auto, "
                "float32 or bfloat16"
            )
        return self


class InBlocks(BaseModel):
    """What networks of many like blocks have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    gradient_checkpointing: bool = False
    """Compute each block a second time on the way back: less memory, the same gradients
    (arXiv:1604.06174)."""


class TrainConfig(Technique):
    """One training: rows, passes, and how they are learned."""

    kinds: ClassVar[tuple[str, ...]] = ()
    """Kinds of data that the architecture reads."""
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    """What it can be asked to learn."""
    usual_lr: ClassVar[float] = 1e-3
    """Peak rate of AdamW that serves where nobody searches."""
    usual_choice: ClassVar[ScoreName] = "macro_f1"
    """The validation score that chooses the epoch, where the project names none."""

    row_ms: ClassVar[float] = 0.1
    """Milliseconds of training a row on one of two cores, for the plan."""

    is_taught: ClassVar[bool] = True
    """Whether it can learn from a teacher's answers, and so has a control."""

    has_features: ClassVar[bool] = True
    """Whether a linear layer answers at its end: what that reads are the features of a row."""

    has_attention: ClassVar[bool] = False
    """Whether it is a transformer that reads a text token by token."""

    name: Name = "teacher"
    """Of a student; each has its own."""
    epochs: PositiveInt = 2
    batch_size: BatchSize = 32
    """Rows per optimizer step over all workers; `auto`: doubled from 8 until twice as many are
    hardly faster a row, memory ends, or a pass has few steps left."""
    lr: PositiveFloat | Literal["auto"] = "auto"
    """Peak rate; `auto` asks the range test and sweep (teacher) or the usual one (student)."""
    max_rows: PositiveInt | None = None
    """Train on this many rows, drawn by class."""
    seed: int = 7

    @model_validator(mode="after")
    def _has_batches_to_size(self) -> Self:
        if self.batch_size == "auto" and self.optimizer == "gradient_descent":
            raise ValueError(
                "batch_size auto: optimizer gradient_descent takes one step over all rows; say how "
                "many of them are computed at once"
            )
        return self

    @property
    def row_ms_in_all(self) -> float:
        """Milliseconds that a row costs over all passes, for the plan."""
        return self.row_ms * (1 if self.has_fixed_features else self.epochs)

    @property
    def has_fixed_features(self) -> bool:
        """Whether a frozen backbone makes the same of a row at every pass."""
        augment: BaseModel | None = getattr(self, "augment", None)
        is_varied = augment is not None and any(augment.model_dump().values())
        return bool(getattr(self, "frozen", False)) and not is_varied

    @property
    def first_lr(self) -> float:
        """The usual rate, for the optimizer of this training."""
        return self.usual_lr * self.lr_factor

    @property
    def lr_factor(self) -> float:
        """What a usual rate of AdamW is multiplied by, for the optimizer of this training."""
        factor = LR_FACTORS.get(self.optimizer, 1.0)
        return factor - factor * self.momentum if self.optimizer in MOVING else factor

    def of_size(self, batch_size: int) -> Self:
        """These settings, with the batch size that `auto` was found to be."""
        return self.model_copy(update={"batch_size": batch_size})

    def going_on(self, changes: Mapping[str, object]) -> Self:
        """These settings of a trained model that learns on, with others in their place: all of it
        does."""
        learns = {"frozen": False} if getattr(self, "frozen", False) else {}
        return self.model_copy(update={**changes, **learns})
