"""Small data, models and bundles that many tests of the nouns need."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from models.build import build_model
from tasks.artifacts import DatasetRef
from tasks.packaging.export import export_bundle
from tasks.training.model_folder import ModelCard, save_model

CLASSES = ("bad", "fair", "good")
WORDS = {
    "bad": ("awful", "late", "rude"),
    "fair": ("usual", "plain", "average"),
    "good": ("lovely", "quick", "kind"),
}
ROWS = {"train": 90, "valid": 30, "test": 30}
ENCODERS: dict[str, dict[str, Any]] = {
    "text_encoder": {"kind": "wordpiece", "column": "text", "max_length": 16},
    "ngram_bag": {
        "kind": "hashed_ngrams",
        "column": "text",
        "buckets": 1024,
        "word_ngrams": [1, 2],
        "char_ngrams": [3, 5],
    },
}
SHAPES: dict[str, dict[str, Any]] = {
    "text_encoder": {"vocab_size": 64, "layers": 2, "width": 32, "heads": 4, "feed_forward": 64},
    "ngram_bag": {"buckets": 1024, "width": 16, "hidden": 8},
}


def text_of(index: int) -> tuple[str, str]:
    label = CLASSES[index % 3]
    words = WORDS[label]
    crew = " the crew" * (index % 5)
    return f"{words[index % 2]} {words[index // 3 % 3]} flight {index}{crew}", label


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DatasetRef]:
    """A dataset folder of 150 rows that a bag of words can learn, and its reference."""
    folder = tmp_path_factory.mktemp("dataset")
    first = 0
    for split, count in ROWS.items():
        texts, labels = zip(*(text_of(first + index) for index in range(count)), strict=True)
        ids = list(range(first, first + count))
        columns = {"text": texts, "mood": labels, "row_id": ids, "group": ids}
        pq.write_table(pa.table(columns), folder / f"{split}.parquet")
        first += count
    reference = DatasetRef(
        name="moods",
        uri="s3://modelworks/datasets/moods/1/",
        sha256="1" * 64,
        source_sha256="2" * 64,
        kind="text",
        inputs=("text",),
        target="mood",
        classes=CLASSES,
        rows=ROWS,
    )
    return folder, reference


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function from a family's name to a model folder with random weights."""

    def make(family: str) -> Path:
        torch.manual_seed(3)
        config = SHAPES[family] | {"num_classes": len(CLASSES)}
        model = build_model(family, config)
        with torch.no_grad():  # larger weights: answers that are not all alike
            for weight in model.parameters():
                weight.mul_(2)
        card = ModelCard(
            family=family,
            config=asdict(model.config),  # type: ignore[call-overload]
            encoder=ENCODERS[family],
            classes=CLASSES,
            inputs=("text",),
        )
        files = {"tokenizer.json": tokenizer_json()} if family == "text_encoder" else {}
        folder = tmp_path_factory.mktemp(family)
        save_model(folder, model.state_dict(), card, files, [])
        return folder

    return make


@pytest.fixture(scope="session")
def make_bundle(
    make_model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """A function from a family's name to a bundle folder."""

    def make(family: str) -> Path:
        folder = tmp_path_factory.mktemp("bundle") / family
        export_bundle(make_model(family), folder, "mood", {"text": [text_of(4)[0], "late"]})
        return folder

    return make


def tokenizer_json() -> bytes:
    words = ["[PAD]", "[UNK]", "flight", "the", "crew", *(w for ws in WORDS.values() for w in ws)]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer.to_str().encode()
