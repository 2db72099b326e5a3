"""What a project file says about the networks that read series."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from tasks.training.config import TrainConfig


class SeriesRecurrent(TrainConfig):
    """What the three recurrent networks have in common."""

    kinds: ClassVar[tuple[str, ...]] = ("series",)
    usual_lr: ClassVar[float] = 5e-3
    row_ms: ClassVar[float] = 0.6

    epochs: PositiveInt = 40
    batch_size: PositiveInt = 32
    layers: Annotated[int, Field(ge=1, le=8)] = 1
    width: Annotated[int, Field(ge=4, le=1024)] = 64
    """Of the state, in each direction."""
    bidirectional: bool = True
    pooling: Literal["mean", "last"] = "mean"
    """Of the states: their mean over the steps, or the one that has seen all of them."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2


class SeriesRnn(SeriesRecurrent):
    """The plain recurrent network (Elman 1990)."""

    model: Literal["series_rnn"] = "series_rnn"


class SeriesLstm(SeriesRecurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997)."""

    model: Literal["series_lstm"] = "series_lstm"


class SeriesGru(SeriesRecurrent):
    """Gated recurrent units (arXiv:1406.1078)."""

    model: Literal["series_gru"] = "series_gru"
