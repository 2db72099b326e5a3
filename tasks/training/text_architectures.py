"""What a project file says about the networks that learn text from nothing but the training rows.

Only configuration, as in `architectures.py`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from tasks.training.config import BatchSize, InBlocks, TrainConfig


class BagAugmentConfig(BaseModel):
    """How each training text is varied, anew at every step, where order does not count."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    token_dropout: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    """Share of the tokens that are left out (word dropout, ACL P15-1162, section 3.3)."""


class TextAugmentConfig(BagAugmentConfig):
    """How each training text is varied, anew at every step; 0 leaves it as it is."""

    token_swap: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    """Share of the pairs of neighbours that change places (random swap, arXiv:1901.11196)."""


class InBag(BaseModel):
    """What networks that read a text as a bag have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    augment: BagAugmentConfig = BagAugmentConfig()
    """Of training texts alone, never of validation rows or the holdout."""


class InOrder(BaseModel):
    """What networks that read a text in its order have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    augment: TextAugmentConfig = TextAugmentConfig()
    """Of training texts alone, never of validation rows or the holdout."""


class FromScratch(TrainConfig):
    """What those networks have in common: their tokens."""

    kinds: ClassVar[tuple[str, ...]] = ("text",)

    epochs: PositiveInt = 5
    tokens: Literal["pieces", "words"] = "pieces"
    """`pieces`: parts of words, by byte pair encoding of the training rows; `words`: hashed."""
    vocab_size: Annotated[int, Field(ge=256, le=1 << 17)] = 8000
    """Most word pieces, or buckets of the hash."""
    width: Annotated[int, Field(ge=8, le=1024)] = 64
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1


class Transformer(InBlocks, InOrder, FromScratch):
    """A transformer encoder from scratch (arXiv:1810.04805, figure 1)."""

    usual_lr: ClassVar[float] = 1e-3
    row_ms: ClassVar[float] = 1.2
    has_attention: ClassVar[bool] = True

    model: Literal["transformer"] = "transformer"
    layers: Annotated[int, Field(ge=1, le=24)] = 2
    width: Annotated[int, Field(ge=8, le=1024)] = 128
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    feed_forward: Annotated[int, Field(ge=16, le=4096)] = 512
    share_layers: bool = False
    """One layer's weights in every layer (ALBERT, arXiv:1909.11942)."""

    @model_validator(mode="after")
    def _width_divides(self) -> "Transformer":
        if self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}")
        return self


class Rnn(InOrder, FromScratch):
    """Elman's recurrent network, and the mean of its states."""

    usual_lr: ClassVar[float] = 2e-3
    row_ms: ClassVar[float] = 0.8

    model: Literal["rnn"] = "rnn"
    layers: Annotated[int, Field(ge=1, le=8)] = 1
    bidirectional: bool = True


class Lstm(Rnn):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), and the mean of its states."""

    row_ms: ClassVar[float] = 1.2

    model: Literal["lstm"] = "lstm"  # type: ignore[assignment]


class Gru(Rnn):
    """Gated recurrent units (arXiv:1406.1078), and the mean of their states."""

    row_ms: ClassVar[float] = 1.2

    model: Literal["gru"] = "gru"  # type: ignore[assignment]


class EmbeddingPool(InBag, FromScratch):
    """The mean of the tokens' embeddings and one hidden layer (ACL P15-1162)."""

    usual_lr: ClassVar[float] = 5e-3
    row_ms: ClassVar[float] = 0.1

    model: Literal["embedding_pool"] = "embedding_pool"
    batch_size: BatchSize = 64
    hidden: Annotated[int, Field(ge=8, le=1024)] = 64
