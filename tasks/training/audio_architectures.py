"""What a project file says about the networks that hear sounds, and how sounds are varied."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from tasks.training.config import TrainConfig
from tasks.training.technique import ScoreName

Share = Annotated[float, Field(ge=0, le=1)]


class AudioAugmentConfig(BaseModel):
    """How each training sound is varied, anew at every step; 0 leaves it as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Earlier or later by at most this share of its length."""
    noise: Share = 0.3
    """Share of the sounds that white noise is laid on."""
    snr_db: Annotated[float, Field(ge=-20, le=60)] = 10.0
    """How far the loudest noise stays below the sound."""
    time_mask: Share = 0.1
    """A run of at most this share of the frames is blanked (SpecAugment, arXiv:1904.08779)."""
    pitch_mask: Share = 0.15
    """Neighbouring bands, at most this share of all, are blanked (the same)."""
    masks: Annotated[int, Field(ge=0, le=10)] = 1
    """Of each sort."""


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
    augment: AudioAugmentConfig = AudioAugmentConfig()
    """Of training sounds alone, never of validation rows or the holdout."""
