"""Blueprints of the models that read text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.minilm import minilm_folder
from tasks.artifacts import DatasetRef
from tasks.packaging.predictor import load_encoder
from tasks.training.architectures import MiniLM, NgramBag, OnEncoder, PretrainedEncoder
from tasks.training.blueprint import Blueprint
from tasks.training.encoder_folder import folder_digest, read_encoder_folder
from tasks.training.job import Rows
from tasks.training.vocabulary import trimmed_vocabulary

MAX_LENGTH = 128
"""Word pieces of one row; what is longer is cut."""
TOKENIZER = "tokenizer.json"
DROPOUT = 0.0
"""Drawing its masks is a quarter of a training step on a CPU, and one or two passes over the rows
do not overfit (tests/benchmarks)."""
WORDS = ("embeddings.words",)
"""Half of the teacher's parameters, so half of what its workers send one another at every step, and
within the noise of a seed in its quality."""
ENCODER = ("embeddings.", "layers.")
"""All but the head."""


def minilm(config: MiniLM, dataset: DatasetRef, train: Rows) -> Blueprint:
    """MiniLM's first layers, over the word pieces that the rows in `train` use."""
    shape = {
        "num_classes": dataset.num_outputs,
        "layers": config.layers,
        "feed_forward": config.feed_forward,
        "max_positions": MAX_LENGTH,
        "dropout": DROPOUT,
    }
    return _pretrained(minilm_folder(), shape, _wordpiece(dataset.inputs), config, train)


def encoder(config: PretrainedEncoder, dataset: DatasetRef, train: Rows) -> Blueprint:
    """The first layers of the encoder in the project's own folder.

    Raises ValueError when the folder is not what it was when the project was read.
    """
    folder = Path(config.pretrained)
    whole = read_encoder_folder(folder)
    digest = folder_digest(folder)
    if config.sha256 not in ("", digest):
        raise ValueError(f"{folder} has sha256 {digest}, {config.sha256} was expected")
    length = min(MAX_LENGTH, whole.max_positions)
    shape = {
        "num_classes": dataset.num_outputs,
        "vocab_size": whole.vocab_size,
        "layers": config.layers or whole.layers,
        "width": whole.width,
        "heads": whole.heads,
        "feed_forward": min(config.feed_forward or whole.feed_forward, whole.feed_forward),
        "max_positions": length,
        "norm_eps": whole.norm_eps,
        "dropout": DROPOUT,
    }
    pieces = _wordpiece(dataset.inputs) | {"max_length": length, "pretrained": digest}
    return _pretrained(folder, shape, pieces, config, train)


def _pretrained(
    folder: Path,
    shape: dict[str, Any],
    pieces: dict[str, Any],
    config: OnEncoder,
    train: Rows,
) -> Blueprint:
    """An encoder that starts from `folder`, its vocabulary cut where `min_count` asks for it."""
    tokenizer_json = (folder / TOKENIZER).read_text(encoding="utf-8")
    kept_ids = None
    if config.min_count is not None:
        rows = load_encoder(pieces, folder).rows(train.columns)
        vocabulary = trimmed_vocabulary(tokenizer_json, rows, config.min_count)
        tokenizer_json, kept_ids = vocabulary.tokenizer_json, vocabulary.kept_ids
        shape = shape | {"vocab_size": len(kept_ids)}
    return Blueprint(
        family="text_encoder",
        config=shape,
        inputs=tuple(pieces["columns"]),
        encoder=pieces,
        files={TOKENIZER: tokenizer_json.encode()},
        pretrained=str(folder),
        frozen=ENCODER if config.frozen else WORDS if config.frozen_words else (),
        kept_ids=kept_ids,
    )


def ngram_bag(config: NgramBag, dataset: DatasetRef, train: Rows) -> Blueprint:
    """A bag of hashed n-grams; no row decides its shape."""
    del train
    encoder = {
        "kind": "hashed_ngrams",
        "columns": list(dataset.inputs),
        "buckets": config.buckets,
        "word_ngrams": [1, 2],
        "char_ngrams": [3, 5],
    }
    shape = {
        "num_classes": dataset.num_outputs,
        "buckets": config.buckets,
        "width": config.width,
    }
    return Blueprint(family="ngram_bag", config=shape, inputs=dataset.inputs, encoder=encoder)


def _wordpiece(inputs: Sequence[str]) -> dict[str, Any]:
    return {"kind": "wordpiece", "columns": list(inputs), "max_length": MAX_LENGTH}
