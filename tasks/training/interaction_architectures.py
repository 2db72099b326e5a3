"""What a project file says about the networks that read interactions of users and items."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from tasks.artifacts import Task
from tasks.training.config import BatchSize, TrainConfig
from tasks.training.technique import ScoreName


class Collaborative(TrainConfig):
    """What all of them have in common."""

    kinds: ClassVar[tuple[str, ...]] = ("interactions",)
    tasks: ClassVar[tuple[Task, ...]] = ("regression", "ranking")
    usual_lr: ClassVar[float] = 5e-3
    usual_choice: ClassVar[ScoreName] = "loss"
    row_ms: ClassVar[float] = 0.01

    epochs: PositiveInt = 10
    batch_size: BatchSize = 256
    weight_decay: Annotated[float, Field(ge=0)] | None = 0.7
    """Decoupled from the gradient; it shrinks the vectors of who is seldom seen."""
    width: Annotated[int, Field(ge=1, le=1024)] = 16
    """Numbers of the vector of a user or item."""
    hidden: Annotated[float, Field(ge=0, lt=0.5)] = 0.05
    """Share of the users and items that training takes for unknown, so that those have answers."""
    min_count: PositiveInt = 2
    """A user or item in fewer training rows is taken for unknown."""


class MatrixFactorisation(Collaborative):
    """Biases and factors (Koren et al. 2009); of the columns it reads user and item alone."""

    has_features: ClassVar[bool] = False

    model: Literal["matrix_factorisation"] = "matrix_factorisation"


class NeuralCollaborativeFiltering(Collaborative):
    """Factors beside layers over both vectors (arXiv:1708.05031); reads user and item alone."""

    tasks: ClassVar[tuple[Task, ...]] = ("regression",)
    row_ms: ClassVar[float] = 0.02

    model: Literal["neural_collaborative_filtering"] = "neural_collaborative_filtering"
    layers: tuple[PositiveInt, ...] = (32, 16)
    """Widths of the layers."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class TwoTower(Collaborative):
    """A network for users and one for items, with their columns (Yi et al. 2019)."""

    has_features: ClassVar[bool] = False
    row_ms: ClassVar[float] = 0.03

    model: Literal["two_tower"] = "two_tower"
    width: Annotated[int, Field(ge=1, le=1024)] = 32
    """Numbers of the vector of an id, and of what a tower answers."""
    layers: tuple[PositiveInt, ...] = (64,)
    """Widths of the layers within each tower."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
