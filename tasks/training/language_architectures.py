"""What a project file says about language models: the same words for a teacher and a student.

Only configuration, as in `architectures.py`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from tasks.artifacts import Task
from tasks.training.config import InBlocks, TrainConfig
from tasks.training.technique import ScoreName


class LanguageModel(TrainConfig):
    """What those networks have in common: byte pairs, learned from the training rows."""

    kinds: ClassVar[tuple[str, ...]] = ("text",)
    tasks: ClassVar[tuple[Task, ...]] = ("generation",)
    usual_choice: ClassVar[ScoreName] = "loss"
    has_features: ClassVar[bool] = False

    epochs: PositiveInt = 8
    vocab_size: Annotated[int, Field(ge=300, le=1 << 15)] = 2000
    """Most tokens: the 256 bytes and what is joined of them. A student has the teacher's."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1


class CausalTransformer(InBlocks, LanguageModel):
    """A decoder-only transformer, as GPT-2 is built, with rotary positions (arXiv:2104.09864)."""

    usual_lr: ClassVar[float] = 2e-3
    row_ms: ClassVar[float] = 6.0

    model: Literal["causal_transformer"] = "causal_transformer"
    layers: Annotated[int, Field(ge=1, le=24)] = 4
    width: Annotated[int, Field(ge=16, le=1024)] = 192
    heads: Annotated[int, Field(ge=1, le=64)] = 6
    feed_forward: Annotated[int, Field(ge=16, le=4096)] = 768
    context: Annotated[int, Field(ge=8, le=1024)] = 128
    """Tokens that one token sees in a layer: itself and those before it."""

    @model_validator(mode="after")
    def _width_divides(self) -> "CausalTransformer":
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width {self.width} must be a multiple of twice the heads, {2 * self.heads}"
            )
        return self


class LstmLanguage(LanguageModel):
    """Long short-term memory over embedded tokens, with tied embeddings (arXiv:1608.05859)."""

    usual_lr: ClassVar[float] = 4e-3
    row_ms: ClassVar[float] = 5.0

    model: Literal["lstm_language"] = "lstm_language"
    layers: Annotated[int, Field(ge=1, le=4)] = 1
    embedding: Annotated[int, Field(ge=16, le=1024)] = 128
    width: Annotated[int, Field(ge=16, le=1024)] = 256
