"""Weights of a pretrained encoder of BERT's family, from a folder as transformers writes it.

Read by safetensors alone: no code and no pickle of the folder is run.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from models.text_encoder import TextEncoder, TextEncoderConfig

WEIGHTS, CONFIG = "model.safetensors", "config.json"


@dataclass(frozen=True, slots=True)
class Names:
    """What a model type calls the parts of its encoder."""

    prefix: str
    """Before every name, where the folder holds more than the bare encoder."""
    layer: str
    """Of one layer; `{}` is its place."""
    query_key_value: tuple[str, str, str]
    parts: Mapping[str, str]
    """Ours -> theirs, inside one layer."""
    counts_from_padding: bool = False
    """Whether the first token has the position after the padding id's (RoBERTa)."""


_BERT_LAYER = {
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "expand": "intermediate.dense",
    "contract": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}
_BERT_QKV = ("attention.self.query", "attention.self.key", "attention.self.value")
_DISTIL_LAYER = {
    "attention.output": "attention.out_lin",
    "attention_norm": "sa_layer_norm",
    "expand": "ffn.lin1",
    "contract": "ffn.lin2",
    "feed_forward_norm": "output_layer_norm",
}
_DISTIL_QKV = ("attention.q_lin", "attention.k_lin", "attention.v_lin")
_ROBERTA = Names("roberta.", "encoder.layer.{}.", _BERT_QKV, _BERT_LAYER, counts_from_padding=True)
NAMES: dict[str, Names] = {
    "bert": Names("bert.", "encoder.layer.{}.", _BERT_QKV, _BERT_LAYER),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "distilbert": Names("distilbert.", "transformer.layer.{}.", _DISTIL_QKV, _DISTIL_LAYER),
}
"""By `model_type`: BERT (arXiv:1810.04805), RoBERTa (arXiv:1907.11692), XLM-R (arXiv:1911.02116),
DistilBERT (arXiv:1910.01108)."""


def pretrained_encoder(
    folder: Path, config: TextEncoderConfig, kept_ids: Tensor | None = None
) -> TextEncoder:
    """The first `config.layers` layers of the encoder in `folder`, with a fresh head.

    `kept_ids` [vocab_size]: which rows of its vocabulary the embedding keeps, in order.
    A `config.feed_forward` below the folder's keeps the neurons that weigh most.
    The head is drawn from torch's generator: seed it for a fixed start.
    Raises ValueError for weights that are missing or have another shape than config.json says.
    """
    if kept_ids is not None:
        config = replace(config, vocab_size=len(kept_ids))
    encoder = TextEncoder(config)
    weights = encoder_weights(folder, config, kept_ids)
    for name, expected in encoder.state_dict().items():
        found = weights.get(name)
        if found is not None and found.shape != expected.shape:
            raise ValueError(
                f"{folder / WEIGHTS}: {name} is {list(found.shape)}, {CONFIG} asks for "
                f"{list(expected.shape)}"
            )
    missing, unexpected = encoder.load_state_dict(weights, strict=False)
    assert not unexpected, unexpected
    assert set(missing) == {"head.weight", "head.bias"}, missing
    return encoder


def encoder_weights(
    folder: Path, config: TextEncoderConfig, kept_ids: Tensor | None = None
) -> dict[str, Tensor]:
    """The folder's weights under our names."""
    about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    names = NAMES[about["model_type"]]
    first = about["pad_token_id"] + 1 if names.counts_from_padding else 0
    try:
        with safe_open(str(folder / WEIGHTS), framework="pt") as stored:
            known = {_plain_name(name, names.prefix): name for name in stored.keys()}  # noqa: SIM118

            def tensor(name: str) -> Tensor:
                if name not in known:
                    raise ValueError(f"{folder / WEIGHTS} has no {name}, which {CONFIG} asks for")
                found: Tensor = stored.get_tensor(known[name]).float()
                return found

            segment = tensor(_SEGMENTS)[0] if _SEGMENTS in known else None
            weights = _embedding_weights(tensor, segment, kept_ids)
            positions = weights["embeddings.positions.weight"]
            end = first + config.max_positions
            weights["embeddings.positions.weight"] = positions[first:end]
            for index in range(config.layers):
                layer = _layer_weights(tensor, names, index)
                weights |= _narrowed(layer, f"layers.{index}", config.feed_forward)
            return weights
    except SafetensorError as error:
        raise ValueError(f"{folder / WEIGHTS} is not a safetensors file: {error}") from error


_SEGMENTS = "embeddings.token_type_embeddings.weight"


def _plain_name(name: str, prefix: str) -> str:
    """Without the prefix; TensorFlow's names for a norm's two vectors become torch's."""
    plain = name.removeprefix(prefix)
    return plain.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def _embedding_weights(
    tensor: Callable[[str], Tensor], segment: Tensor | None, kept_ids: Tensor | None
) -> dict[str, Tensor]:
    words = tensor("embeddings.word_embeddings.weight")
    positions = tensor("embeddings.position_embeddings.weight")
    return {
        "embeddings.words.weight": words if kept_ids is None else words[kept_ids],
        "embeddings.positions.weight": positions if segment is None else positions + segment,
        "embeddings.norm.weight": tensor("embeddings.LayerNorm.weight"),
        "embeddings.norm.bias": tensor("embeddings.LayerNorm.bias"),
    }


def _layer_weights(tensor: Callable[[str], Tensor], names: Names, index: int) -> dict[str, Tensor]:
    source, target = names.layer.format(index), f"layers.{index}"
    weights = {}
    for kind in ("weight", "bias"):
        parts = [tensor(f"{source}{part}.{kind}") for part in names.query_key_value]
        weights[f"{target}.attention.query_key_value.{kind}"] = torch.cat(parts)
        for ours, theirs in names.parts.items():
            weights[f"{target}.{ours}.{kind}"] = tensor(f"{source}{theirs}.{kind}")
    return weights


def _narrowed(layer: dict[str, Tensor], name: str, neurons: int) -> dict[str, Tensor]:
    """The layer with only so many feed-forward neurons, those of the largest weights.

    A neuron weighs the norm of what it reads times the norm of what it writes: magnitude pruning
    of whole units (Li et al. 2017, arXiv:1608.08710), here before the training and not after it.
    """
    expand, bias = layer[f"{name}.expand.weight"], layer[f"{name}.expand.bias"]
    contract = layer[f"{name}.contract.weight"]
    if neurons >= len(bias):
        return layer
    kept = (expand.norm(dim=1) * contract.norm(dim=0)).topk(neurons).indices.sort().values
    return layer | {
        f"{name}.expand.weight": expand[kept],
        f"{name}.expand.bias": bias[kept],
        f"{name}.contract.weight": contract[:, kept],
    }
