"""What a project file says about making models small."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class DistilConfig(BaseModel):
    """Learning from the teacher's softened answers (Hinton et al. 2015, arXiv:1503.02531)."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    temperature: Annotated[float, Field(gt=0, le=20)] = 2.0
    weight: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Share of the teacher's term in the loss; the labels have the rest."""


class CompressConfig(BaseModel):
    """What is done to every student."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    distil: DistilConfig = DistilConfig()
    quantize: Literal["int8", "none"] = "int8"
