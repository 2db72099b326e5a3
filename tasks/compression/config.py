"""What a project file says about making models small."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from tasks.compression.distil_config import DistilConfig
from tasks.training.config import Name, TrainConfig

Share = Annotated[float, Field(ge=0, lt=1)]
Precision = Literal[
    "int8", "int8-static", "int8-weights", "int8-int4", "int4-weights", "float16-weights", "float16"
]
TRAINED_FOR: tuple[Precision, ...] = ("int8", "int8-int4")
"""Forms as which a model can compute in training."""
MOST_NOISE = 0.003


class RecoverConfig(BaseModel):
    """The training after each round of pruning: from the teacher's answers to all rows."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    epochs: PositiveInt = 1
    """Passes after each round."""
    max_rows: PositiveInt | None = None
    """Recover on this many rows, drawn by class; null: all of them."""
    lr: PositiveFloat | Literal["auto"] = "auto"
    """Peak rate; `auto`: the usual one of the model that was pruned."""


class PruneConfig(BaseModel):
    """A trained model without the parts that are worth least to it, and its recovery.

    Shares are of what is removed. Each part of a network loses the same share of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    of: Name = "teacher"
    """The teacher, or a student by its name."""
    name: Name | None = None
    """Left out: `<of>-pruned`."""
    layers: Share = 0.0
    """Whole layers of a transformer (arXiv:2004.03844)."""
    heads: Share = 0.0
    """Of every attention (arXiv:1905.10650)."""
    neurons: Share = 0.0
    """Of feed-forward blocks and hidden layers."""
    channels: Share = 0.0
    """Of convolutions (arXiv:1608.08710)."""
    width: Share = 0.0
    """Of a token's vector, in every layer and table."""
    min_count: PositiveInt | None = None
    """Pieces rarer than this in the training rows are spelt by shorter ones; 1 keeps those that
    any row uses, null keeps all."""
    embedding_rank: PositiveInt | None = None
    """Numbers of a word before one matrix widens them (arXiv:1909.11942, section 3.1)."""
    linear_rank: PositiveInt | None = None
    """Of every matrix of a transformer, as a product of two."""
    sparsity: Share = 0.0
    """Of the weights of products, the smallest, which become zeros (arXiv:1506.02626): no faster in
    this runtime, and smaller once zipped only."""
    pattern: Literal["2:4"] | None = None
    """Zeros in the place of two of each four weights, the smaller ones (arXiv:2104.08378): as
    `sparsity`, no faster here."""
    importance: Literal["taylor", "magnitude", "activation"] = "taylor"
    """What a unit is worth: what the loss would change by (arXiv:1906.10771), the size of its
    weights, or how loud it is."""
    rounds: Annotated[int, Field(ge=1, le=10)] = 1
    """Prune and recover so often, most of it in the first rounds (arXiv:1710.01878)."""
    rows: PositiveInt = 1000
    """Training rows that tell what a unit is worth."""
    recover: RecoverConfig = RecoverConfig()

    @property
    def called(self) -> str:
        """Name of the pruned model."""
        return self.name or f"{self.of}-pruned"

    def recovering(self, config: TrainConfig) -> TrainConfig:
        """The settings of the model that was pruned, as its recovery follows them."""
        return config.going_on({"name": self.called, **self.recover.model_dump()})

    @property
    def shares(self) -> dict[str, float]:
        """What is removed of each kind of unit, those of which nothing is left out."""
        kinds = ("heads", "neurons", "channels", "width")
        return {kind: getattr(self, kind) for kind in kinds if getattr(self, kind)}

    @property
    def removed(self) -> tuple[str, ...]:
        """Fields by which something goes."""
        others = ("layers", "min_count", "embedding_rank", "linear_rank")
        return (*self.shares, *(name for name in others if getattr(self, name)))

    @property
    def is_sparse(self) -> bool:
        """Whether weights become zeros and stay in their place."""
        return self.sparsity > 0 or self.pattern is not None

    @model_validator(mode="after")
    def _removes_something(self) -> Self:
        if not self.removed and not self.is_sparse:
            raise ValueError(
                f"prune of {self.of} removes nothing: one of layers, heads, neurons, channels, "
                "width, min_count, embedding_rank, linear_rank, sparsity and pattern must be given"
            )
        return self

    @model_validator(mode="after")
    def _has_one_way_to_zero(self) -> Self:
        if self.sparsity and self.pattern:
            raise ValueError(
                f"prune of {self.of}: pattern {self.pattern} leaves half of the weights, sparsity "
                f"{self.sparsity:g} another share; only one of them may be given"
            )
        return self


class AwareConfig(BaseModel):
    """Passes more of a trained model, computed as its form with fewer bits computes
    (arXiv:1712.05877), from the teacher's answers; gradients go through the rounding as if there
    were none."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    epochs: PositiveInt = 1
    max_rows: PositiveInt | None = None
    """Learn from this many rows, drawn by class; null: all of them."""
    lr: PositiveFloat | Literal["auto"] = "auto"
    """Peak rate; `auto`: a fifth of the usual one of the model."""


def aware_passes(value: Any) -> Any:
    """`true` and `false` as a section, and none."""
    return ({} if value else None) if isinstance(value, bool) else value


class QuantizeConfig(BaseModel):
    """One form with fewer bits, and what of it stays as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    precision: Precision = "int8"
    """`int8`: activations scaled as they come; `int8-static`: by training rows, once;
    `int8-weights` and `int4-weights`: weights in blocks with a scale each; `int8-int4`: products as
    in `int8`, tables in blocks of int4; `float16-weights`: kept in half the bytes, widened when the
    bundle is loaded; `float16`: computed so, too, where `deploy.provider` is not the CPU."""
    keep: Literal["none", "auto"] = "none"
    """`auto`: layers stay in float, the most sensitive first, until the noise is at most
    `most_noise`."""
    most_noise: Annotated[float, Field(gt=0, lt=1)] = MOST_NOISE
    """Share of the variance of the float model's answers to validation rows that the difference
    from them may have."""
    aware: Annotated[
        AwareConfig | None,
        BeforeValidator(aware_passes, json_schema_input_type=bool | AwareConfig | None),
    ] = None
    """`true`, or how: the model learns on with the rounding of this form before it is made."""

    @model_validator(mode="after")
    def _has_noise_to_limit(self) -> Self:
        if self.keep == "auto" and self.precision in ("float16-weights", "float16"):
            raise ValueError(f"keep auto: {self.precision} has no layers that it could keep")
        if self.keep == "none" and self.most_noise != MOST_NOISE:
            raise ValueError(f"most_noise {self.most_noise:g} is of keep auto, keep is none")
        return self

    @model_validator(mode="after")
    def _is_computed_in_training(self) -> Self:
        if self.aware and (self.precision not in TRAINED_FOR or self.keep != "none"):
            raise ValueError(
                f"aware of {self.precision}, keep {self.keep}: training computes as "
                f"{' and '.join(TRAINED_FOR)} do, nothing kept, and as no other form"
            )
        return self

    @property
    def name(self) -> str:
        """What the candidate's name gets at its end."""
        mixed = "" if self.keep == "none" else "-mixed"
        return f"{self.precision}{mixed}{'-aware' if self.aware else ''}"


NO_BFLOAT16 = (
    "bfloat16: ONNX Runtime has no matrix product in it on a CPU, and nothing here writes a graph "
    "in it for other hardware; float16 and float16-weights take as few bytes and are nearer to the "
    "float model"
)


def quantize_forms(value: Any) -> Any:
    """A precision, a section or a list of them, as a list of sections; `none` is an empty one."""
    if value == "none":
        return []
    sections = []
    for item in value if isinstance(value, list | tuple) else [value]:
        precision = item.get("precision") if isinstance(item, dict) else item
        if precision == "bfloat16":
            raise ValueError(NO_BFLOAT16)
        sections.append({"precision": item} if isinstance(item, str) else item)
    return sections


QuantizeForms = Annotated[
    tuple[QuantizeConfig, ...],
    BeforeValidator(
        quantize_forms,
        json_schema_input_type=Literal["none"]
        | Precision
        | QuantizeConfig
        | list[Precision | QuantizeConfig],
    ),
]


class CompressConfig(BaseModel):
    """What is done to every student."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    distil: DistilConfig = DistilConfig()
    prune: tuple[PruneConfig, ...] = ()
    """Trained models to make smaller; each result is a candidate, beside a control of its shape
    that recovers from labels alone."""
    quantize: QuantizeForms = (QuantizeConfig(),)
    """Forms with fewer bits, each a candidate of its own; `none`: none."""

    @model_validator(mode="after")
    def _has_each_form_once(self) -> Self:
        names = [form.name for form in self.quantize]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"quantize {twice[0]} stands twice; each form makes one candidate")
        return self
