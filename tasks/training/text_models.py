"""Blueprints of the models that read text."""

from collections.abc import Sequence
from typing import Any

from models.minilm import minilm_folder
from tasks.packaging.predictor import load_encoder
from tasks.training.blueprint import Blueprint
from tasks.training.config import StudentConfig, TeacherConfig
from tasks.training.examples import Columns
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


def teacher_blueprint(config: TeacherConfig, inputs: Sequence[str], num_classes: int) -> Blueprint:
    """All of MiniLM."""
    del config  # there is one teacher so far
    return Blueprint(
        family="text_encoder",
        config={
            "num_classes": num_classes,
            "max_positions": MAX_LENGTH,
            "dropout": DROPOUT,
        },
        encoder=_wordpiece(inputs),
        files={TOKENIZER: (minilm_folder() / TOKENIZER).read_bytes()},
        start="minilm",
        frozen=FROZEN,
    )


def student_blueprint(
    config: StudentConfig, inputs: Sequence[str], num_classes: int, train: Columns
) -> Blueprint:
    """The shape that the student's configuration names; `train` decides its vocabulary."""
    if config.model == "ngram_bag":
        return _ngram_bag(config, inputs, num_classes)
    return _first_layers(config, inputs, num_classes, train)


def _first_layers(
    config: StudentConfig, inputs: Sequence[str], num_classes: int, train: Columns
) -> Blueprint:
    """MiniLM's first layers over the word pieces that the training rows use."""
    whole = load_encoder(_wordpiece(inputs), minilm_folder())
    tokenizer_json = (minilm_folder() / TOKENIZER).read_text(encoding="utf-8")
    vocabulary = trimmed_vocabulary(tokenizer_json, whole.rows(train), config.min_count)
    shape = {
        "num_classes": num_classes,
        "layers": config.layers,
        "feed_forward": config.feed_forward,
        "max_positions": MAX_LENGTH,
        "dropout": DROPOUT,
        "vocab_size": len(vocabulary.kept_ids),
    }
    return Blueprint(
        family="text_encoder",
        config=shape,
        encoder=_wordpiece(inputs),
        files={TOKENIZER: vocabulary.tokenizer_json.encode()},
        start="minilm",
        frozen=FROZEN,
        kept_ids=vocabulary.kept_ids,
    )


def _ngram_bag(config: StudentConfig, inputs: Sequence[str], num_classes: int) -> Blueprint:
    shape = {"num_classes": num_classes, "buckets": config.buckets, "width": config.width}
    encoder = {
        "kind": "hashed_ngrams",
        "column": _only(inputs),
        "buckets": config.buckets,
        "word_ngrams": [1, 2],
        "char_ngrams": [3, 5],
    }
    return Blueprint(family="ngram_bag", config=shape, encoder=encoder)


def _wordpiece(inputs: Sequence[str]) -> dict[str, Any]:
    return {"kind": "wordpiece", "column": _only(inputs), "max_length": MAX_LENGTH}


def _only(inputs: Sequence[str]) -> str:
    if len(inputs) != 1:
        raise ValueError(f"data.inputs {list(inputs)}: a text model reads exactly one column")
    return inputs[0]
