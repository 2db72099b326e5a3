"""Which parts of each architecture can be removed, and whether a project asks for others.

Recurrent networks are left alone: a unit of theirs feeds itself at every step, so that what it is
worth cannot be read from one pass. So are backbones that are not trained, and models that are
tables or sums.
"""

from collections.abc import Sequence

from tasks.compression.config import PruneConfig, QuantizeConfig
from tasks.compression.controls import control_of
from tasks.training.config import TrainConfig
from tasks.training.sklearn_architecture import SklearnEstimator

_ENCODER = ("layers", "heads", "neurons", "width", "embedding_rank", "linear_rank")
PARTS: dict[str, tuple[str, ...]] = {
    "minilm": (*_ENCODER, "min_count"),
    "encoder": (*_ENCODER, "min_count"),
    "transformer": _ENCODER,
    "causal_transformer": ("layers", "heads", "neurons"),
    "ft_transformer": ("heads", "neurons"),
    "table_resnet": ("neurons",),
    "mlp": ("neurons",),
    "embedding_pool": ("neurons",),
    "ngram_bag": ("neurons",),
    "lenet": ("channels", "neurons"),
    "small_lenet": ("channels", "neurons"),
    "resnet": ("channels",),
    "audio_cnn": ("channels",),
    "series_cnn": ("channels",),
}
"""By `model` of the project file; of others nothing can be removed."""
AWARE = frozenset(
    {
        *("minilm", "encoder", "transformer", "embedding_pool", "ngram_bag", "rnn", "lstm", "gru"),
        *("mlp", "table_resnet", "ft_transformer", "lenet", "small_lenet"),
    }
)
"""By `model`: those that compute in training as their int8 form does, to the last digits. Others
are mostly convolutions, which that form leaves alone, or share a table with a product."""
MINILM_WIDTH = 384
"""Numbers of a token (arXiv:2002.10957); other transformers of a project say theirs."""


def check_prunings(
    prunings: Sequence[PruneConfig],
    teacher: TrainConfig | SklearnEstimator,
    students: Sequence[TrainConfig | SklearnEstimator],
) -> None:
    """ValueError when a model that is to be pruned does not exist, or lacks a part that goes."""
    known = {"teacher": teacher, **{student.name: student for student in students}}
    taken = [*known, *map(control_of, known)]
    for place, prune in enumerate(prunings):
        where = f"compress.prune.{place}"
        if prune.of not in known:
            raise ValueError(f"{where}.of {prune.of}: allowed are {', '.join(known)}")
        if prune.called in taken:
            raise ValueError(f"{where}.name {prune.called} stands twice; each needs one of its own")
        taken += [prune.called, control_of(prune.called)]
        check_parts(prune, known[prune.of], where)


def is_aware(config: TrainConfig | SklearnEstimator) -> bool:
    """Whether the model can learn with the rounding of its int8 form."""
    return config.is_taught and getattr(config, "model", "") in AWARE


def check_aware(
    forms: Sequence[QuantizeConfig], learners: Sequence[TrainConfig | SklearnEstimator]
) -> None:
    """ValueError when a form is to be trained for, and no model can be."""
    if any(form.aware for form in forms) and not any(map(is_aware, learners)):
        raise ValueError(
            "compress.quantize aware: none of "
            f"{', '.join(str(getattr(config, 'model', '')) for config in learners)} can learn with "
            f"the rounding of its int8 form; models that can are {', '.join(sorted(AWARE))}"
        )


def check_provider(forms: Sequence[QuantizeConfig], provider: str) -> None:
    """ValueError for a form that gains nothing where the champion answers."""
    if provider == "cpu" and any(form.precision == "float16" for form in forms):
        raise ValueError(
            "compress.quantize float16 gains nothing on deploy.provider cpu: ONNX Runtime casts "
            "every weight back at each call, which is slower than float32; float16-weights casts "
            "them once"
        )


def check_parts(prune: PruneConfig, config: TrainConfig | SklearnEstimator, where: str) -> None:
    """ValueError when a model lacks a part that is to go of it, or has it no larger."""
    model = str(getattr(config, "model", ""))
    has = PARTS.get(model, ())
    if getattr(config, "share_layers", False):
        has = tuple(name for name in has if name not in ("layers", "linear_rank"))
    zeroed = [name for name in ("sparsity", "pattern") if getattr(prune, name)]
    if zeroed and not has:
        raise ValueError(
            f"{where}.{zeroed[0]} of {prune.of}: model {model} has no products to zero"
        )
    for name in prune.removed:
        if name not in has:
            allowed = ", ".join(has) or "nothing that can be removed"
            raise ValueError(f"{where}.{name} of {prune.of}: model {model} has {allowed}")
    width = getattr(config, "width", MINILM_WIDTH if model == "minilm" else None)
    _check_ranks(prune, width, where)


def _check_ranks(prune: PruneConfig, width: int | None, where: str) -> None:
    """ValueError for a rank that is no smaller, whatever else goes, of a width that is known.

    A product of two matrices takes as many numbers as a square one where their rank is half of its
    side.
    """
    for name, most in (("embedding_rank", width), ("linear_rank", width and width / 2)):
        rank = getattr(prune, name)
        if rank is not None and most is not None and rank >= most:
            raise ValueError(
                f"{where}.{name} {rank} of {prune.of}: must be below {most:g} to make a model of "
                f"width {width} smaller"
            )
