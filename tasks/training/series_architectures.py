"""What a project file says about the networks that read series."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from tasks.training.config import BatchSize, TrainConfig
from tasks.training.technique import ScoreName


class SeriesRecurrent(TrainConfig):
    """What the three recurrent networks have in common."""

    kinds: ClassVar[tuple[str, ...]] = ("series",)
    usual_lr: ClassVar[float] = 5e-3
    row_ms: ClassVar[float] = 0.6

    epochs: PositiveInt = 40
    batch_size: BatchSize = 32
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


class SeriesCnn(TrainConfig):
    """Convolutions over time, of several lengths side by side (InceptionTime, arXiv:1909.04939)."""

    kinds: ClassVar[tuple[str, ...]] = ("series",)
    usual_lr: ClassVar[float] = 3e-3
    usual_choice: ClassVar[ScoreName] = "loss"
    row_ms: ClassVar[float] = 0.6

    model: Literal["series_cnn"] = "series_cnn"
    epochs: PositiveInt = 60
    batch_size: BatchSize = 32
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    averaging: Literal["none", "ema", "swa"] = "ema"
    blocks: Annotated[int, Field(ge=1, le=12)] = 2
    width: Annotated[int, Field(ge=8, le=512, multiple_of=2)] = 64
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.4
