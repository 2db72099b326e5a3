"""Blueprints of the models that read text."""

from collections.abc import Sequence
from typing import Any

from models.minilm import minilm_folder
from tasks.artifacts import DatasetRef
from tasks.packaging.predictor import load_encoder
from tasks.training.architectures import MiniLM, NgramBag
from tasks.training.blueprint import Blueprint
from tasks.training.job import Rows
from tasks.training.vocabulary import trimmed_vocabulary

MAX_LENGTH = 128
"""Word pieces of one row; what is longer is cut."""
TOKENIZER = "tokenizer.json"
DROPOUT = 0.0
"""Drawing its masks is a quarter of a training step on a CPU, and one or two passes over the rows
do not overfit (tests/benchmarks)."""
FROZEN = ("embeddings.words",)
"""MiniLM's word vectors stay as they came: half of the teacher's parameters, so half of what the
workers send one another at every step, and within the noise of a seed in quality."""


def minilm(config: MiniLM, dataset: DatasetRef, train: Rows) -> Blueprint:
    """MiniLM's first layers, over the word pieces that the rows in `train` use."""
    encoder = _wordpiece(dataset.inputs)
    tokenizer_json = (minilm_folder() / TOKENIZER).read_text(encoding="utf-8")
    shape = {
        "num_classes": dataset.num_outputs,
        "layers": config.layers,
        "feed_forward": config.feed_forward,
        "max_positions": MAX_LENGTH,
        "dropout": DROPOUT,
    }
    kept_ids = None
    if config.min_count is not None:
        whole = load_encoder(encoder, minilm_folder())
        vocabulary = trimmed_vocabulary(tokenizer_json, whole.rows(train.columns), config.min_count)
        tokenizer_json, kept_ids = vocabulary.tokenizer_json, vocabulary.kept_ids
        shape["vocab_size"] = len(kept_ids)
    return Blueprint(
        family="text_encoder",
        config=shape,
        inputs=dataset.inputs,
        encoder=encoder,
        files={TOKENIZER: tokenizer_json.encode()},
        start="minilm",
        frozen=FROZEN,
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
