"""Which units each family of networks has, from its configuration alone; `parts.py` says which
families are left alone, and why."""

from collections.abc import Callable, Mapping
from typing import Any

from models.build import FAMILIES
from models.resnet import GROUPS
from models.series_cnn import KERNELS
from tasks.compression.pruning_units import Group, Kind, Place

HIDDEN = ("weight", "bias")
BATCH_NORM = ("weight", "bias", "running_mean", "running_var")


def unit_groups(family: str, config: Mapping[str, Any]) -> list[Group]:
    """All groups of units of this network; none for a family that cannot be pruned."""
    if family not in GROUPS_OF:
        return []
    config_type, _ = FAMILIES[family]
    return GROUPS_OF[family](config_type(**config))


def _between(kind: Kind, field: str, first: str, second: str, count: int, size: int = 1) -> Group:
    """Outputs of the module `first` that the module `second` reads."""
    return Group(
        kind=kind,
        name=first,
        count=count,
        reads=tuple(Place(f"{first}.{part}", 0) for part in HIDDEN),
        writes=(Place(f"{second}.weight", 1, size),),
        heard=(Place(second, 1, size),),
        field=field,
    )


def _heads(layer: str, output: str, config: Any) -> Group:
    """The heads of one attention, whose queries, keys and values come from one matrix."""
    width = config.numbers_per_head
    return Group(
        kind="heads",
        name=f"{layer}query_key_value",
        count=config.heads,
        reads=tuple(Place(f"{layer}query_key_value.{part}", 0, width, 3) for part in HIDDEN),
        writes=(Place(f"{layer}{output}.weight", 1, width),),
        heard=(Place(f"{layer}{output}", -1, width),),
        field="heads",
        pins=(("head_width", width),),
    )


def _neurons(layer: str, count: int, field: str = "feed_forward", repeats: int = 1) -> Group:
    """The neurons between a layer's two matrices; gated ones have `repeats` rows of weights."""
    return Group(
        kind="neurons",
        name=f"{layer}expand",
        count=count,
        reads=tuple(Place(f"{layer}expand.{part}", 0, 1, repeats) for part in HIDDEN),
        writes=(Place(f"{layer}contract.weight", 1),),
        heard=(Place(f"{layer}contract", -1),),
        field=field,
    )


def _text_encoder(config: Any) -> list[Group]:
    if config.linear_rank is not None:
        return []
    layers = [f"layers.{i}." for i in range(1 if config.share_layers else config.layers)]
    heads = [_heads(f"{layer}attention.", "output", config) for layer in layers]
    neurons = [_neurons(layer, config.feed_forward) for layer in layers]
    return [*heads, *neurons, _stream(config, layers)]


def _stream(config: Any, layers: list[str]) -> Group:
    """The numbers of a token's vector, which every layer reads and adds to.

    Each normalisation is over all of them, so to remove even silent ones changes the others.
    """
    words = "embeddings.words.weight" if config.embedding_rank is None else None
    reads = [Place(words, 1) if words else Place("embeddings.widen.weight", 0)]
    reads += [Place("embeddings.positions.weight", 1)]
    reads += [Place(f"embeddings.norm.{part}", 0) for part in HIDDEN]
    made = ("attention.output", "attention_norm", "contract", "feed_forward_norm")
    reads += [Place(f"{at}{name}.{part}", 0) for at in layers for name in made for part in HIDDEN]
    readers = [f"{at}{name}" for at in layers for name in ("attention.query_key_value", "expand")]
    return Group(
        kind="width",
        name="width",
        count=config.width,
        reads=tuple(reads),
        writes=tuple(Place(f"{reader}.weight", 1) for reader in (*readers, "head")),
        heard=tuple(Place(reader, -1) for reader in (*readers, "head")),
        field="width",
        pins=(("head_width", config.numbers_per_head),),
    )


def _causal_transformer(config: Any) -> list[Group]:
    layers = [f"layers.{i}." for i in range(config.layers)]
    heads = [_heads(f"{layer}attention.", "output", config) for layer in layers]
    return [*heads, *(_neurons(layer, config.feed_forward) for layer in layers)]


def _ft_transformer(config: Any) -> list[Group]:
    blocks = [f"blocks.{i}." for i in range(config.blocks)]
    heads = [_heads(block, "output", config) for block in blocks]
    return [*heads, *(_neurons(block, config.neurons, repeats=2) for block in blocks)]


def _table_resnet(config: Any) -> list[Group]:
    count = config.inner or 2 * config.width
    return [_neurons(f"blocks.{i}.", count, "inner") for i in range(config.blocks)]


def _mlp(config: Any) -> list[Group]:
    rungs = [f"body.{i}.0" for i in range(len(config.hidden))]
    return _rungs("hidden", rungs, config.hidden)


def _rungs(field: str, rungs: list[str], widths: tuple[int, ...]) -> list[Group]:
    """Full layers one after the other, and the head behind the last."""
    followers = [*rungs[1:], "head"]
    return [
        _between("neurons", f"{field}.{index}", rungs[index], followers[index], widths[index])
        for index in range(len(rungs))
    ]


def _one_hidden(config: Any) -> list[Group]:
    return [_between("neurons", "hidden", "expand", "head", config.hidden)]


def _lenet(config: Any) -> list[Group]:
    rungs = [f"full.{i}.0" for i in range(len(config.hidden))]
    follower = rungs[0] if rungs else "head"
    return [*_filters(config, follower), *_rungs("hidden", rungs, config.hidden)]


def _small_lenet(config: Any) -> list[Group]:
    return [
        *_filters(config, "full"),
        _between("neurons", "hidden", "full", "head", config.hidden),
    ]


def _filters(config: Any, follower: str) -> list[Group]:
    """Two convolutions; the full layer behind them reads every pixel of a channel."""
    few, many = config.filters
    pixels = (config.size // 4) ** 2
    return [
        _between("channels", "filters.0", "first", "second", few),
        _between("channels", "filters.1", "second", follower, many, size=pixels),
    ]


def _resnet(config: Any) -> list[Group]:
    """Channels inside a block: those of each normalised group apart, which all keep as many.

    Left ones are normalised without those that went: silence, too, was part of their statistics.
    """
    return [
        _inner_channels(f"blocks.{stage * config.blocks + block}.", stage, part, width // GROUPS)
        for stage, width in enumerate(config.inner_widths)
        for block in range(config.blocks)
        for part in range(GROUPS)
    ]


def _inner_channels(block: str, stage: int, part: int, count: int) -> Group:
    names = ("first.weight", "first_norm.weight", "first_norm.bias")
    first = part * count
    return Group(
        kind="channels",
        name=f"{block}first.{part}",
        count=count,
        reads=tuple(Place(f"{block}{name}", 0, first=first) for name in names),
        writes=(Place(f"{block}second.weight", 1, first=first),),
        heard=(Place(f"{block}second", 1, first=first),),
        field=f"inner.{stage}",
        parts=GROUPS,
    )


def _audio_cnn(config: Any) -> list[Group]:
    blocks = [f"blocks.{i}." for i in range(len(config.widths))]
    readers = [*(f"{block}conv" for block in blocks[1:]), "head"]
    return [
        Group(
            kind="channels",
            name=f"{block}conv",
            count=config.widths[index],
            reads=(
                Place(f"{block}conv.weight", 0),
                *(Place(f"{block}norm.{part}", 0) for part in BATCH_NORM),
            ),
            # The head reads a channel's mean, and behind all means its maximum.
            writes=(Place(f"{reader}.weight", 1, repeats=2 if reader == "head" else 1),),
            heard=(Place(reader, 1, repeats=2 if reader == "head" else 1),),
            field=f"widths.{index}",
        )
        for index, (block, reader) in enumerate(zip(blocks, readers, strict=True))
    ]


def _series_cnn(config: Any) -> list[Group]:
    count = config.inner or config.width // 2
    return [
        Group(
            kind="channels",
            name=f"blocks.{block}.convolutions.{kernel}",
            count=count,
            reads=tuple(Place(f"blocks.{block}.convolutions.{kernel}.{p}", 0) for p in HIDDEN),
            writes=(Place(f"blocks.{block}.contract.weight", 1, first=kernel * count),),
            heard=(Place(f"blocks.{block}.contract", -1, first=kernel * count),),
            field="inner",
        )
        for block in range(config.blocks)
        for kernel in range(len(KERNELS))
    ]


GROUPS_OF: dict[str, Callable[[Any], list[Group]]] = {
    "text_encoder": _text_encoder,
    "causal_transformer": _causal_transformer,
    "ft_transformer": _ft_transformer,
    "table_resnet": _table_resnet,
    "mlp": _mlp,
    "embedding_pool": _one_hidden,
    "ngram_bag": _one_hidden,
    "lenet": _lenet,
    "small_lenet": _small_lenet,
    "resnet": _resnet,
    "audio_cnn": _audio_cnn,
    "series_cnn": _series_cnn,
}
