"""What a project file says about the form of its sounds."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class AudioConfig(BaseModel):
    """The form in which sounds are kept and learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    sample_rate: Annotated[int, Field(ge=1000, le=48_000)] = 16_000
    """Samples a second that all sounds are brought to; half of it is the highest pitch heard."""
    seconds: Annotated[float, Field(gt=0, le=120)] = 10.0
    """The beginning of a longer sound is kept."""
    mels: Annotated[int, Field(ge=8, le=256)] = 64
    """Bands of pitch, evenly spaced as it is heard."""
    window_ms: Annotated[float, Field(ge=5, le=500)] = 25.0
    """Milliseconds of one frame."""
    hop_ms: Annotated[float, Field(ge=1, le=500)] = 10.0
    """Milliseconds from one frame to the next."""

    @model_validator(mode="after")
    def _fits_together(self) -> "AudioConfig":
        if self.hop_ms > self.window_ms:
            raise ValueError(
                f"hop_ms {self.hop_ms:g} must be at most window_ms {self.window_ms:g}: what lies "
                "between two frames would not be heard"
            )
        most = int(self.sample_rate * self.window_ms / 2000)
        if self.mels > most:
            raise ValueError(
                f"mels {self.mels} must be at most {most}: so many frequencies does a window of "
                f"{self.window_ms:g} ms tell apart at sample_rate {self.sample_rate}"
            )
        return self
