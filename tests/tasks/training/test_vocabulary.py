"""A trimmed vocabulary reads what the whole one read, and can still spell the rest."""

import json
from pathlib import Path

import pytest

from models.minilm import minilm_folder
from tasks.packaging.predictor import load_encoder
from tasks.training.vocabulary import trimmed_vocabulary

TEXTS = ["I love driverless cars, they are wonderful!", "never trust a google car", "love love"]
CONFIG = {"kind": "wordpiece", "column": "text", "max_length": 128}


@pytest.fixture(scope="module")
def tokenizer_json() -> str:
    return (minilm_folder() / "tokenizer.json").read_text(encoding="utf-8")


def encoder_of(tokenizer_json: str, folder: Path):
    (folder / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    return load_encoder(CONFIG, folder)


def test_rows_that_were_seen_are_the_same_pieces(tokenizer_json: str, tmp_path: Path) -> None:
    whole = load_encoder(CONFIG, minilm_folder())
    before = whole.rows({"text": TEXTS})
    vocabulary = trimmed_vocabulary(tokenizer_json, before, min_count=1)
    after = encoder_of(vocabulary.tokenizer_json, tmp_path).rows({"text": TEXTS})
    assert [[vocabulary.kept_ids[piece] for piece in row] for row in after] == before
    assert len(vocabulary.kept_ids) < 2100


def test_an_unseen_word_is_spelt_not_unknown(tokenizer_json: str, tmp_path: Path) -> None:
    whole = load_encoder(CONFIG, minilm_folder())
    rows = whole.rows({"text": TEXTS})
    vocabulary = trimmed_vocabulary(tokenizer_json, rows, min_count=1)
    encoder = encoder_of(vocabulary.tokenizer_json, tmp_path)
    unknown = json.loads(vocabulary.tokenizer_json)["model"]["vocab"]["[UNK]"]
    (row,) = encoder.rows({"text": ["zebra 漢 Über"]})
    assert unknown not in row
    assert len(row) > 8


def test_rare_pieces_go_first(tokenizer_json: str) -> None:
    rows = load_encoder(CONFIG, minilm_folder()).rows({"text": TEXTS})
    sizes = [len(trimmed_vocabulary(tokenizer_json, rows, n).kept_ids) for n in (1, 2, 3)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]


def test_only_word_pieces_can_be_trimmed() -> None:
    with pytest.raises(ValueError, match="holds a BPE model, only WordPiece and Unigram can be"):
        trimmed_vocabulary('{"model": {"type": "BPE"}}', [], 1)
