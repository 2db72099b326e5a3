"""Blueprints of language models."""

from typing import Any

from tasks.artifacts import DatasetRef
from tasks.packaging.predictor.text import texts_of
from tasks.training.blueprint import Blueprint
from tasks.training.job import Rows
from tasks.training.language_architectures import CausalTransformer, LanguageModel, LstmLanguage
from tasks.training.learned_vocabulary import byte_vocabulary
from tasks.training.text_models import TOKENIZER


def causal_transformer(config: CausalTransformer, dataset: DatasetRef, train: Rows) -> Blueprint:
    """A decoder-only transformer with fresh weights."""
    own = {
        "layers": config.layers,
        "width": config.width,
        "heads": config.heads,
        "feed_forward": config.feed_forward,
        "context": config.context,
    }
    return _blueprint("causal_transformer", own, config, dataset, train)


def lstm_language(config: LstmLanguage, dataset: DatasetRef, train: Rows) -> Blueprint:
    """An LSTM over embedded tokens."""
    own = {"layers": config.layers, "width": config.width, "embedding": config.embedding}
    return _blueprint("lstm_language", own, config, dataset, train)


def _blueprint(
    family: str, own: dict[str, Any], config: LanguageModel, dataset: DatasetRef, train: Rows
) -> Blueprint:
    texts = texts_of(train.columns, dataset.inputs)
    tokenizer_json, size = byte_vocabulary(texts, config.vocab_size)
    return Blueprint(
        family=family,
        config={"vocab_size": size, "dropout": config.dropout, **own},
        inputs=dataset.inputs,
        encoder={"kind": "byte_pairs", "columns": list(dataset.inputs)},
        files={TOKENIZER: tokenizer_json.encode()},
    )
