"""What a project file says about each architecture; the same words for a teacher and a student.

Only configuration: importing this loads no torch, so that every command may. What an architecture
is made of stands in `<kind>_models.py`.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from tasks.training.audio_architectures import AudioCnn
from tasks.training.config import BatchSize, InBlocks, TrainConfig
from tasks.training.image_architectures import (
    EfficientNetLite,
    Lenet,
    Resnet,
    SharedKernelCnn,
    SmallLenet,
)
from tasks.training.interaction_architectures import (
    MatrixFactorisation,
    NeuralCollaborativeFiltering,
    TwoTower,
)
from tasks.training.language_architectures import CausalTransformer, LstmLanguage
from tasks.training.series_architectures import SeriesCnn, SeriesGru, SeriesLstm, SeriesRnn
from tasks.training.sklearn_architecture import SklearnEstimator, SklearnTeacher
from tasks.training.technique import ScoreName
from tasks.training.text_architectures import (
    EmbeddingPool,
    Gru,
    InBag,
    InOrder,
    Lstm,
    Rnn,
    Transformer,
)


class OnEncoder(InBlocks, InOrder, TrainConfig):
    """What networks on top of a pretrained encoder have in common."""

    has_attention: ClassVar[bool] = True
    head_lr: ClassVar[float] = 1e-2
    """Peak rate where only the head is trained."""

    frozen: bool = False
    """Only the head is trained, on features that are computed once where `augment` varies nothing:
    many passes cost as much as one."""
    min_count: PositiveInt | None = None
    """Pieces rarer than this in the training rows are spelt by shorter ones; null: none is."""
    frozen_words: bool = True
    """Word vectors stay as they came; false: they are trained too, a quarter more of a pass."""

    @property
    def row_ms_in_all(self) -> float:
        """Features cost a third of a pass, and what the head costs is next to nothing."""
        return super().row_ms_in_all / (3 if self.frozen else 1)

    @property
    def first_lr(self) -> float:
        """Of the head, where nothing else is trained."""
        usual = self.head_lr if self.frozen else self.usual_lr
        return usual * self.lr_factor

    @model_validator(mode="after")
    def _has_something_to_compute_twice(self) -> Self:
        if self.frozen and self.gradient_checkpointing:
            raise ValueError(
                "gradient_checkpointing true: a frozen encoder keeps nothing for the way back; "
                "allowed with frozen true: false"
            )
        return self

    @model_validator(mode="after")
    def _trains_what_it_says(self) -> Self:
        if self.frozen and not self.frozen_words:
            raise ValueError(
                "frozen_words false: nothing but the head is trained with frozen true; "
                "allowed with frozen true: true"
            )
        return self


class MiniLM(OnEncoder):
    """MiniLM's first layers, over the word pieces that the training rows use."""

    kinds: ClassVar[tuple[str, ...]] = ("text",)
    usual_lr: ClassVar[float] = 4e-4
    row_ms: ClassVar[float] = 3.6

    model: Literal["minilm"] = "minilm"
    epochs: PositiveInt = 1
    layers: Annotated[int, Field(ge=1, le=6)] = 2
    feed_forward: Annotated[int, Field(ge=16, le=1536)] = 1536
    """Neurons kept in each layer's feed-forward block, those of the largest weights."""
    min_count: PositiveInt | None = 3


class MiniLMTeacher(MiniLM):
    """All of MiniLM."""

    usual_lr: ClassVar[float] = 6.3e-5
    row_ms: ClassVar[float] = 9.3

    epochs: PositiveInt = 2
    max_rows: PositiveInt | None = 8000
    layers: Annotated[int, Field(ge=1, le=6)] = 6
    min_count: PositiveInt | None = None


class PretrainedEncoder(OnEncoder):
    """First layers of your own pretrained encoder: BERT, RoBERTa, XLM-R or DistilBERT."""

    kinds: ClassVar[tuple[str, ...]] = ("text",)
    usual_lr: ClassVar[float] = 2e-4
    row_ms: ClassVar[float] = 12.0

    model: Literal["encoder"] = "encoder"
    pretrained: str
    """A folder (from the project file) with config.json, model.safetensors and tokenizer.json."""
    sha256: str = ""
    """Of that folder; found when the project is read, so that other weights are trained anew."""
    epochs: PositiveInt = 1
    layers: Annotated[int, Field(ge=1)] | None = 2
    """The first so many; null: all."""
    feed_forward: Annotated[int, Field(ge=16)] | None = None
    """Neurons kept in each layer's feed-forward block, those of the largest weights; null: all."""


class PretrainedTeacher(PretrainedEncoder):
    """All of your own pretrained encoder."""

    usual_lr: ClassVar[float] = 3e-5
    row_ms: ClassVar[float] = 70.0

    epochs: PositiveInt = 2
    max_rows: PositiveInt | None = 8000
    layers: Annotated[int, Field(ge=1)] | None = None


class NgramBag(InBag, TrainConfig):
    """A bag of hashed n-grams and a small MLP (fastText, arXiv:1607.01759)."""

    kinds: ClassVar[tuple[str, ...]] = ("text",)
    usual_lr: ClassVar[float] = 5e-3
    row_ms: ClassVar[float] = 0.12

    model: Literal["ngram_bag"] = "ngram_bag"
    epochs: PositiveInt = 5
    batch_size: BatchSize = 64
    width: Annotated[int, Field(ge=8, le=1024)] = 64
    """Numbers per n-gram."""
    buckets: Annotated[int, Field(ge=1024, le=1 << 20)] = 1 << 16
    """Rows of the hashed table."""


class TableResNet(InBlocks, TrainConfig):
    """Residual blocks over numbers and embedded categories (arXiv:2106.11959, section 3.2)."""

    kinds: ClassVar[tuple[str, ...]] = ("table",)
    usual_lr: ClassVar[float] = 1e-3
    usual_choice: ClassVar[ScoreName] = "loss"
    row_ms: ClassVar[float] = 0.1

    model: Literal["table_resnet"] = "table_resnet"
    epochs: PositiveInt = 4
    batch_size: BatchSize = 256
    blocks: Annotated[int, Field(ge=1, le=16)] = 3
    width: Annotated[int, Field(ge=8, le=1024)] = 192
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1


class FtTransformer(InBlocks, TrainConfig):
    """A token for each column, and attention among them (arXiv:2106.11959, section 3.3)."""

    kinds: ClassVar[tuple[str, ...]] = ("table",)
    usual_lr: ClassVar[float] = 1e-3
    usual_choice: ClassVar[ScoreName] = "loss"
    row_ms: ClassVar[float] = 0.5

    model: Literal["ft_transformer"] = "ft_transformer"
    epochs: PositiveInt = 4
    batch_size: BatchSize = 256
    blocks: Annotated[int, Field(ge=1, le=16)] = 2
    width: Annotated[int, Field(ge=8, le=1024)] = 64
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Must divide the width."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "FtTransformer":
        if self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}")
        return self


class Mlp(TrainConfig):
    """Linear layers with ReLU between them, over numbers and embedded categories."""

    kinds: ClassVar[tuple[str, ...]] = ("table",)
    usual_lr: ClassVar[float] = 2e-3
    usual_choice: ClassVar[ScoreName] = "loss"
    row_ms: ClassVar[float] = 0.03

    model: Literal["mlp"] = "mlp"
    epochs: PositiveInt = 3
    batch_size: BatchSize = 256
    hidden: tuple[PositiveInt, ...] = (64, 32)
    """Width of each hidden layer."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


_Pairs = MatrixFactorisation | NeuralCollaborativeFiltering | TwoTower
_Series = SeriesRnn | SeriesLstm | SeriesGru | SeriesCnn
_Table = TableResNet | FtTransformer | Mlp
_Scratch = Transformer | Rnn | Lstm | Gru | EmbeddingPool
_Language = CausalTransformer | LstmLanguage
_Image = Lenet | SmallLenet | SharedKernelCnn | Resnet | EfficientNetLite
_Any = _Scratch | _Language | _Series | NgramBag | _Table | _Image | AudioCnn | _Pairs
TeacherConfig = Annotated[
    MiniLMTeacher | PretrainedTeacher | _Any | SklearnTeacher, Field(discriminator="model")
]
StudentConfig = Annotated[
    MiniLM | PretrainedEncoder | _Any | SklearnEstimator, Field(discriminator="model")
]

TEACHERS: dict[str, TeacherConfig] = {
    "text": MiniLMTeacher(),
    "table": TableResNet(),
    "image": Lenet(),
    "audio": AudioCnn(),
    "series": SeriesGru(),
    "interactions": TwoTower(),
    "generation": CausalTransformer(),
}
"""What teaches when the project names nobody, by kind of data, or by a task of its own models."""
STUDENTS: dict[str, tuple[StudentConfig, ...]] = {
    "text": (
        MiniLM(name="minilm-2", feed_forward=768),
        NgramBag(name="ngram-bag"),
    ),
    "table": (Mlp(name="mlp"), Mlp(name="mlp-small", hidden=(16,))),
    "image": (SmallLenet(name="small-lenet"), SharedKernelCnn(name="shared-kernels")),
    "interactions": (
        MatrixFactorisation(name="factors"),
        NeuralCollaborativeFiltering(name="neural-factors"),
    ),
    "audio": (AudioCnn(name="audio-cnn-16", widths=(8, 16, 32, 64)),),
    "series": (SeriesGru(name="gru", width=32), SeriesLstm(name="lstm", width=48)),
    "generation": (
        CausalTransformer(name="small-transformer", layers=2, width=128, heads=4, feed_forward=512),
        LstmLanguage(name="lstm"),
    ),
}
"""Who learns when the project names nobody."""
