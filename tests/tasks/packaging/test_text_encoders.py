"""Encoders of text: the same answer alone, in a batch, and as their reference gives."""

from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from tasks.packaging.predictor import Encoder, load_encoder

NGRAMS: dict[str, Any] = {
    "kind": "hashed_ngrams",
    "column": "text",
    "buckets": 512,
    "word_ngrams": [1, 2],
    "char_ngrams": [3, 4],
}
TEXTS = ["A late crew", "late", "", "Überraschung!! 🙂 late late crew the"]


@pytest.fixture(params=["wordpiece", "hashed_ngrams", "tfidf"])
def encoder(request: pytest.FixtureRequest, tmp_path: Path, tokenizer: bytes) -> Encoder:
    (tmp_path / "tokenizer.json").write_bytes(tokenizer)
    vocabulary = '{"terms": ["late", "crew", "late crew"], "idf": [1.0, 2.0, 3.0]}'
    (tmp_path / "vocabulary.json").write_text(vocabulary)
    configs = {
        "wordpiece": {"kind": "wordpiece", "column": "text", "max_length": 4},
        "hashed_ngrams": NGRAMS,
        "tfidf": {"kind": "tfidf", "column": "text"},
    }
    return load_encoder(configs[request.param], tmp_path)


@pytest.fixture(scope="module")
def tokenizer() -> bytes:
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {"[UNK]": 0, "late": 1, "crew": 2, "[PAD]": 3}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return str(made.to_str()).encode()


def test_a_row_is_the_same_alone_and_among_others(encoder: Encoder) -> None:
    rows = [row for row in encoder.rows({"text": TEXTS}) if encoder.length(row)]
    together = encoder.batch(rows)
    assert tuple(together) == encoder.names
    for index, row in enumerate(rows):
        alone = encoder.batch([row])
        size = encoder.length(row)
        for name, tensor in alone.items():
            assert tensor.dtype == together[name].dtype
            np.testing.assert_array_equal(tensor[0], together[name][index, :size])
        assert not together["attention_mask"][index, size:].any()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"body": ["a"]}, "column 'text' is missing; found body"),
        ({"text": ["a", None]}, "column 'text', row 1: None must be a text"),
        ({"text": [float("nan")]}, "column 'text', row 0: nan must be a text"),
    ],
    ids=["no column", "None", "NaN"],
)
def test_what_is_no_text_is_refused(
    encoder: Encoder, columns: dict[str, list[Any]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        encoder.rows(columns)


def test_wordpiece_cuts_and_pads(tmp_path: Path, tokenizer: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(tokenizer)
    config = {"kind": "wordpiece", "column": "text", "max_length": 2}
    made = load_encoder(config, tmp_path)
    batch = made.batch(made.rows({"text": ["late crew late", "new"]}))
    assert batch["input_ids"].tolist() == [[1, 2], [0, 3]]
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]


def test_ngrams_are_words_pieces_and_pairs(tmp_path: Path) -> None:
    (row,) = load_encoder(NGRAMS, tmp_path).rows({"text": ["It is"]})
    terms = ["it", "<it", "it>", "<it>", "is", "<is", "is>", "<is>", "it is"]
    assert sorted(row) == sorted(crc32(term.encode()) % 512 for term in terms)


def test_a_long_text_has_a_limited_number_of_ngrams(tmp_path: Path) -> None:
    (row,) = load_encoder(NGRAMS | {"max_length": 50}, tmp_path).rows({"text": ["word " * 10000]})
    assert len(row) == 50


def test_several_columns_are_one_text(tmp_path: Path, tokenizer: bytes) -> None:
    both = {key: value for key, value in NGRAMS.items() if key != "column"}
    several = load_encoder(both | {"columns": ["title", "body"]}, tmp_path)
    columns = {"title": ["Late", None], "body": ["crew", "late"]}
    joined = load_encoder(NGRAMS, tmp_path).rows({"text": ["Late | crew", " | late"]})
    for row, expected in zip(several.rows(columns), joined, strict=True):
        np.testing.assert_array_equal(row, expected)
    assert len(several.rows({"title": [float("nan")], "body": ["late"]})[0])
    with pytest.raises(ValueError, match="column 'body' is missing; found title"):
        several.rows({"title": ["a"]})
    with pytest.raises(ValueError, match="column 'body', row 0: 3 must be a text"):
        several.rows({"title": ["a"], "body": [3]})


def test_one_column_in_a_list_reads_as_one_column() -> None:
    config = {key: value for key, value in NGRAMS.items() if key != "column"}
    alone = load_encoder(config | {"columns": ["text"]}, Path())
    for ours, theirs in zip(
        alone.rows({"text": TEXTS}), load_encoder(NGRAMS, Path()).rows({"text": TEXTS}), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_word_pieces_of_two_columns_stand_apart(tmp_path: Path) -> None:
    from models.minilm import minilm_folder

    config = {"kind": "wordpiece", "columns": ["title", "body"], "max_length": 16}
    encoder = load_encoder(config, minilm_folder())
    one = load_encoder({"kind": "wordpiece", "column": "text", "max_length": 16}, minilm_folder())
    title, body, both = (one.rows({"text": [text]})[0] for text in ("late", "crew", "late crew"))
    (row,) = encoder.rows({"title": ["late"], "body": ["crew"]})
    separator = title[-1]
    assert row == [*title[:-1], separator, *body[1:]]
    assert len(row) == len(both) + 1


def test_an_unknown_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="encoder kind 'bytes' must be one of audio, byte_pairs, "):
        load_encoder({"kind": "bytes"}, tmp_path)
