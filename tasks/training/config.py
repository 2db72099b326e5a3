"""What a project file says about models and how they are trained."""

from typing import Annotated, Literal

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

    epochs: PositiveInt = 2
    batch_size: PositiveInt = 32
    """Rows per optimizer step over all workers."""
    lr: PositiveFloat | Literal["auto"] = "auto"
    """Peak rate; `auto` asks the range test and sweep (teacher) or takes the model's default."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    max_rows: PositiveInt | None = None
    """Train on this many rows, drawn by class."""
    seed: int = 7


class TeacherConfig(TrainConfig):
    """The large model that the students learn from."""

    model: Literal["minilm"] = "minilm"
    max_rows: PositiveInt | None = 8000


class StudentConfig(TrainConfig):
    """A small model, trained twice: with the teacher, and without it as its control."""

    epochs: PositiveInt = 1
    name: Name
    model: Literal["minilm", "ngram_bag"]
    layers: Annotated[int, Field(ge=1, le=6)] = 2
    """Of a minilm: its first layers."""
    feed_forward: Annotated[int, Field(ge=16, le=1536)] = 1536
    """Of a minilm: neurons kept in each feed-forward block, those of the largest weights."""
    min_count: PositiveInt = 3
    """Of a minilm: word pieces rarer than this in the training rows are spelt by shorter ones."""
    width: Annotated[int, Field(ge=8, le=1024)] = 64
    """Of an ngram_bag: numbers per n-gram."""
    buckets: Annotated[int, Field(ge=1024, le=1 << 20)] = 1 << 16
    """Of an ngram_bag: rows of the hashed table."""
