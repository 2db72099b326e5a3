"""What a project file says about the networks that hear sounds, and how sounds are varied."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from tasks.training.config import TrainConfig
from tasks.training.technique import ScoreName


class AudioCnn(TrainConfig):
    """Convolutions over loudness by moment and pitch (as in arXiv:1912.10211)."""

    kinds: ClassVar[tuple[str, ...]] = ("audio",)
    usual_lr: ClassVar[float] = 3e-3
    usual_choice: ClassVar[ScoreName] = "loss"
    row_ms: ClassVar[float] = 3.0

    model: Literal["audio_cnn"] = "audio_cnn"
    epochs: PositiveInt = 30
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    averaging: Literal["none", "ema", "swa"] = "ema"
    widths: Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=6)] = (
        16,
        32,
        64,
        128,
    )
    """Channels of each block; each halves the frames and the bands of pitch."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
