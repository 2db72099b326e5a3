"""Blueprints of the networks that learn text from nothing but the training rows."""

from typing import Any

from tasks.artifacts import DatasetRef
from tasks.packaging.predictor.text import texts_of
from tasks.training.blueprint import Blueprint
from tasks.training.job import Rows
from tasks.training.learned_vocabulary import learned_vocabulary
from tasks.training.text_architectures import EmbeddingPool, FromScratch, Rnn, Transformer
from tasks.training.text_models import MAX_LENGTH, TOKENIZER


def transformer(config: Transformer, dataset: DatasetRef, train: Rows) -> Blueprint:
    """An encoder with fresh weights."""
    own = {
        "layers": config.layers,
        "heads": config.heads,
        "feed_forward": config.feed_forward,
        "share_layers": config.share_layers,
        "max_positions": MAX_LENGTH,
    }
    return _blueprint("text_encoder", own, config, dataset, train)


def recurrent(config: Rnn, dataset: DatasetRef, train: Rows) -> Blueprint:
    """An RNN, LSTM or GRU over embedded tokens."""
    own = {
        "cell": config.model,
        "embedding": config.width,
        "layers": config.layers,
        "bidirectional": config.bidirectional,
    }
    return _blueprint("recurrent_text", own, config, dataset, train)


def embedding_pool(config: EmbeddingPool, dataset: DatasetRef, train: Rows) -> Blueprint:
    """The mean of embedded tokens."""
    return _blueprint("embedding_pool", {"hidden": config.hidden}, config, dataset, train)


def _blueprint(
    family: str, own: dict[str, Any], config: FromScratch, dataset: DatasetRef, train: Rows
) -> Blueprint:
    columns = list(dataset.inputs)
    files: dict[str, bytes] = {}
    size = config.vocab_size
    if config.tokens == "pieces":
        tokenizer_json, size = learned_vocabulary(texts_of(train.columns, columns), size)
        files = {TOKENIZER: tokenizer_json.encode()}
        encoder: dict[str, Any] = {"kind": "wordpiece", "columns": columns, "pretrained": None}
    else:
        sizes = {"buckets": size, "word_ngrams": [1, 1], "char_ngrams": [1, 0]}
        encoder = {"kind": "hashed_ngrams", "columns": columns, **sizes}
    shape = {
        "num_classes": dataset.num_outputs,
        "vocab_size": size,
        "width": config.width,
        "dropout": config.dropout,
    }
    return Blueprint(
        family=family,
        config=shape | own,
        inputs=dataset.inputs,
        encoder=encoder | {"max_length": MAX_LENGTH},
        files=files,
    )
