"""A user's own pretrained encoder: a folder as transformers writes it, checked before it is used.

Only configuration and tokenizer are read here, so that a project file is checked without torch.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.training.architectures import PretrainedEncoder
from tasks.training.vocabulary import TRIMMABLE

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
FILES = (CONFIG, WEIGHTS, TOKENIZER)
PICKLES = ("pytorch_model.bin", "model.ckpt", "pytorch_model.bin.index.json")
PIECE_BYTES = 1 << 20

_BERT = {
    "layers": "num_hidden_layers",
    "width": "hidden_size",
    "heads": "num_attention_heads",
    "feed_forward": "intermediate_size",
    "max_positions": "max_position_embeddings",
    "vocab_size": "vocab_size",
    "activation": "hidden_act",
}
_DISTIL = {
    "layers": "n_layers",
    "width": "dim",
    "heads": "n_heads",
    "feed_forward": "hidden_dim",
    "max_positions": "max_position_embeddings",
    "vocab_size": "vocab_size",
    "activation": "activation",
}
FIELDS = {"bert": _BERT, "roberta": _BERT, "xlm-roberta": _BERT, "distilbert": _DISTIL}
"""What config.json calls each part of the shape, by `model_type`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderShape:
    """What config.json and tokenizer.json say."""

    layers: int
    width: int
    heads: int
    feed_forward: int
    max_positions: int
    vocab_size: int
    norm_eps: float
    tokenizer: str
    """WordPiece, Unigram, BPE or WordLevel."""


def read_encoder_folder(folder: Path) -> EncoderShape:
    """The shape of the encoder in `folder`; ValueError, one sentence, for what cannot be used."""
    _check_files(folder)
    about = _json_object(folder / CONFIG)
    model_type = about.get("model_type")
    if model_type not in FIELDS:
        raise ValueError(
            f"{folder / CONFIG}: model_type {model_type!r} must be one of {', '.join(FIELDS)}"
        )
    _check_variant(about, folder, FIELDS[model_type]["activation"])
    numbers = {
        ours: _positive(about, theirs, folder)
        for ours, theirs in FIELDS[model_type].items()
        if ours != "activation"
    }
    if "roberta" in model_type:
        numbers["max_positions"] -= int(about.get("pad_token_id", 1)) + 1
    tokenizer, ids = _tokenizer(folder / TOKENIZER)
    if ids > numbers["vocab_size"]:
        raise ValueError(
            f"{folder / TOKENIZER} has {ids:,} pieces, vocab_size of {CONFIG} is "
            f"{numbers['vocab_size']:,}: they are not of one model"
        )
    norm_eps = float(about.get("layer_norm_eps", 1e-12))
    return EncoderShape(**numbers, norm_eps=norm_eps, tokenizer=tokenizer)


def with_folder(config: PretrainedEncoder, base: Path) -> PretrainedEncoder:
    """The settings with the folder's absolute path and digest; a relative path starts at `base`.

    Raises ValueError for a folder that cannot be used, or not in the way that is asked for.
    """
    folder = (base / Path(config.pretrained).expanduser()).resolve()
    whole = read_encoder_folder(folder)
    if config.layers is not None and config.layers > whole.layers:
        raise ValueError(f"layers {config.layers} must be at most {whole.layers}, as {folder} has")
    if config.min_count is not None and whole.tokenizer not in TRIMMABLE:
        raise ValueError(
            f"min_count {config.min_count} must be null: {folder / TOKENIZER} holds a "
            f"{whole.tokenizer} model, only {' and '.join(TRIMMABLE)} can be trimmed"
        )
    digest = folder_digest(folder)
    if config.sha256 not in ("", digest):
        raise ValueError(f"sha256 {config.sha256} must be {digest}, as {folder} has, or left out")
    return config.model_copy(update={"pretrained": str(folder), "sha256": digest})


def folder_digest(folder: Path) -> str:
    """The sha256 of the names and bytes of the three files that decide the encoder."""
    digest = hashlib.sha256()
    for name in FILES:
        with (folder / name).open("rb") as file:
            digest.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; one with {', '.join(FILES)} was expected")
    missing = [name for name in FILES if not (folder / name).is_file()]
    pickled = [name for name in PICKLES if (folder / name).exists()]
    if WEIGHTS in missing and pickled:
        raise ValueError(
            f"{folder}: {pickled[0]} is a pickle, which is never loaded; save the encoder as "
            f"{WEIGHTS} (save_pretrained of transformers does)"
        )
    if missing:
        raise ValueError(f"{folder} has no {missing[0]}; {', '.join(FILES)} are needed")


def _check_variant(about: dict[str, Any], folder: Path, activation: str) -> None:
    """Raise ValueError for a variation of the architecture that our encoder does not compute."""
    wanted = {activation: "gelu", "position_embedding_type": "absolute", "is_decoder": False}
    for name, value in wanted.items():
        if about.get(name, value) != value:
            raise ValueError(f"{folder / CONFIG}: {name} {about[name]!r} must be {value!r}")


def _positive(about: dict[str, Any], name: str, folder: Path) -> int:
    value = about.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{folder / CONFIG}: {name} {value!r} must be a whole number above 0")
    return value


def _json_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds {type(found).__name__}, a JSON object was expected")
    return found


def _tokenizer(path: Path) -> tuple[str, int]:
    """Kind of the tokenizer, and the number of ids that it may give."""
    about = _json_object(path)
    model = about.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not vocabulary:
        raise ValueError(f"{path} has no model with a vocabulary")
    added = [int(token["id"]) + 1 for token in about.get("added_tokens") or []]
    ids = len(vocabulary) if isinstance(vocabulary, list) else max(vocabulary.values()) + 1
    return str(model.get("type")), max([ids, *added])
