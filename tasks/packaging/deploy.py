"""What a project file says about where its champion answers; candidates are measured there."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Provider = Literal["cpu", "cuda", "tensorrt", "openvino", "directml", "coreml"]


class DeployConfig(BaseModel):
    """How a bundle is opened and asked; other values are another target, which is measured anew."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """Of one call. A small network is fastest on one: two lose 6 to 34 % on two cores."""
    batch: Annotated[int, Field(ge=1, le=1024)] = 1
    """Rows of one call; latencies are of a whole call."""
    provider: Provider = "cpu"
    """Of ONNX Runtime; it must be part of the runtime that is installed here."""

    @model_validator(mode="after")
    def _is_offered_here(self) -> Self:
        if self.provider != "cpu":
            from tasks.packaging.predictor import check_provider

            check_provider(self.provider)
        return self

    @property
    def session(self) -> dict[str, Any]:
        """What a predictor is opened with."""
        return {"threads": self.threads, "provider": self.provider}


ALONE = DeployConfig()
"""One row a call on one thread."""
