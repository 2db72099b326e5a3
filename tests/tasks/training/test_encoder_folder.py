"""A user's own encoder: read as transformers reads it, refused in a sentence, keyed by content."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from models.minilm import minilm_folder
from models.text_encoder import TextEncoder
from tasks.artifacts import DatasetRef
from tasks.packaging.export import export_graph, torch_logits
from tasks.packaging.predictor.predictor import _open_session
from tasks.training.architectures import PretrainedEncoder, PretrainedTeacher
from tasks.training.blueprint import first_model, open_encoder
from tasks.training.blueprints import blueprint_of
from tasks.training.encoder_folder import folder_digest, read_encoder_folder, with_folder
from tasks.training.job import Rows

TEXTS = ["späte Züge", "une équipe aimable", "the crew was late again today", "late"]
SHAPE = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 4,
         "intermediate_size": 32, "max_position_embeddings": 40}  # fmt: skip
DISTIL = {"vocab_size": 60, "dim": 16, "n_layers": 3, "n_heads": 4, "hidden_dim": 32,
          "max_position_embeddings": 40}  # fmt: skip
MODELS: dict[str, Callable[[], Any]] = {
    "bert": lambda: transformers.BertModel(transformers.BertConfig(**SHAPE)),
    "bert with a head": lambda: transformers.BertForMaskedLM(transformers.BertConfig(**SHAPE)),
    "roberta": lambda: transformers.RobertaModel(transformers.RobertaConfig(**SHAPE)),
    "xlm-roberta": lambda: transformers.XLMRobertaModel(transformers.XLMRobertaConfig(**SHAPE)),
    "distilbert": lambda: transformers.DistilBertModel(transformers.DistilBertConfig(**DISTIL)),
}
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁late", "▁crew", "▁the", "▁", *"aelrtcwhsdyogin"]


def unigram() -> Tokenizer:
    made = Tokenizer(models.Unigram([(piece, -float(i)) for i, piece in enumerate(PIECES)], 3))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved("bert", tmp_path / "own")


def saved(name: str, folder: Path) -> Path:
    torch.manual_seed(1)
    model = MODELS[name]()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    model.save_pretrained(folder)
    unigram().save(str(folder / "tokenizer.json"))
    return folder


def dataset(*inputs: str) -> DatasetRef:
    return DatasetRef(
        name="moods", uri="s3://m/d/1/", sha256="1" * 64, source_sha256="2" * 64, kind="text",
        inputs=inputs or ("text",), target="mood", classes=("a", "b"), rows={},
    )  # fmt: skip


def rows() -> Rows:
    return Rows({"text": TEXTS}, np.zeros(len(TEXTS), np.int64))


def model_of(config: PretrainedEncoder) -> tuple[TextEncoder, Any]:
    blueprint = blueprint_of(config, dataset(), rows())
    model = first_model(blueprint, 7).eval()
    assert isinstance(model, TextEncoder)
    return model, open_encoder(blueprint)


@pytest.mark.parametrize("name", MODELS)
def test_every_type_gives_the_vectors_of_transformers(name: str, tmp_path: Path) -> None:
    folder = saved(name, tmp_path / "own")
    ours, encoder = model_of(PretrainedTeacher(pretrained=str(folder)))
    theirs = transformers.AutoModel.from_pretrained(str(folder)).eval()
    batch = {
        n: torch.from_numpy(a) for n, a in encoder.batch(encoder.rows({"text": TEXTS})).items()
    }
    # RoBERTa takes its positions from the padding id; ours knows padding by the mask alone.
    pad = 1 if "roberta" in name else 0
    ids = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, pad)
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=batch["attention_mask"]).last_hidden_state
        found = ours.encode(**batch)
    seen = batch["attention_mask"].bool()
    torch.testing.assert_close(found[seen], expected[seen], atol=2e-5, rtol=1e-4)


def test_a_student_is_the_first_layers_and_exports(folder: Path, tmp_path: Path) -> None:
    config = PretrainedEncoder(name="two", pretrained=str(folder), layers=2, min_count=1)
    model, encoder = model_of(config)
    whole, _ = model_of(PretrainedTeacher(pretrained=str(folder)))
    assert len(model.layers) == 2
    assert torch.equal(model.layers[1].expand.weight, whole.layers[1].expand.weight)
    encoded = encoder.rows({"text": TEXTS})
    export_graph(model, encoder, [encoded[2], encoded[3]], tmp_path / "model.onnx")
    session = _open_session(tmp_path / "model.onnx", 1)
    found = np.concatenate([session.run(None, encoder.batch([row]))[0] for row in encoded])
    np.testing.assert_allclose(found, torch_logits(model, encoder, encoded), atol=1e-5)


def test_a_trimmed_unigram_vocabulary_reads_the_rows_as_the_whole_one(folder: Path) -> None:
    whole, whole_encoder = model_of(PretrainedTeacher(pretrained=str(folder)))
    small, encoder = model_of(PretrainedTeacher(pretrained=str(folder), min_count=1))
    before, after = (e.rows({"text": ["late the crew"]})[0] for e in (whole_encoder, encoder))
    assert torch.equal(small.embeddings.words.weight[after], whole.embeddings.words.weight[before])
    assert small.config.vocab_size <= len(PIECES) < whole.config.vocab_size


def test_minilm_as_an_own_folder_is_minilm() -> None:
    config = with_folder(PretrainedTeacher(pretrained=str(minilm_folder())), Path())
    shape = read_encoder_folder(minilm_folder())
    assert (shape.layers, shape.width, shape.tokenizer) == (6, 384, "WordPiece")
    assert config.sha256 == folder_digest(minilm_folder())


def test_other_weights_are_another_key(folder: Path) -> None:
    before = with_folder(PretrainedEncoder(pretrained="own"), folder.parent)
    assert before.pretrained == str(folder)
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:-1] + b"\x01")
    after = with_folder(PretrainedEncoder(pretrained="own"), folder.parent)
    assert before.sha256 != after.sha256
    with pytest.raises(ValueError, match=r"has sha256 .* was expected"):
        blueprint_of(before, dataset(), rows())


def edited(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def only_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def a_bpe_tokenizer(folder: Path) -> None:
    Tokenizer(models.BPE({"a": 0}, [])).save(str(folder / "tokenizer.json"))


@pytest.mark.parametrize(
    ("break_it", "options", "message"),
    [
        (lambda f: shutil.rmtree(f), {}, "own is no folder; one with config.json, model"),
        (lambda f: (f / "tokenizer.json").unlink(), {}, "own has no tokenizer.json; config.json"),
        (only_a_pickle, {}, "pytorch_model.bin is a pickle, which is never loaded; save the enc"),
        (lambda f: edited(f, model_type="gpt2"), {}, "model_type 'gpt2' must be one of bert, rob"),
        (lambda f: edited(f, hidden_act="relu"), {}, "hidden_act 'relu' must be 'gelu'"),
        (lambda f: edited(f, hidden_size="big"), {}, "hidden_size 'big' must be a whole number"),
        (lambda f: edited(f, vocab_size=5), {}, "they are not of one model"),
        (lambda f: (f / "config.json").write_text("{"), {}, "config.json is not JSON"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), {}, "no model with a vocabulary"),
        (lambda _: None, {"layers": 9}, "layers 9 must be at most 3, as "),
        (a_bpe_tokenizer, {"min_count": 3}, "min_count 3 must be null: .* holds a BPE model"),
        (lambda _: None, {"sha256": "ab"}, "sha256 ab must be .* or left out"),
    ],
    ids=["folder", "file", "pickle", "type", "activation", "size", "vocab", "json", "tokenizer",
         "layers", "bpe", "digest"],
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence(
    folder: Path, break_it: Callable[[Path], Any], options: dict[str, Any], message: str
) -> None:
    break_it(folder)
    with pytest.raises(ValueError, match=message) as raised:
        with_folder(PretrainedEncoder(pretrained="own", **options), folder.parent)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda f: edited(f, intermediate_size=48), r"expand.weight is \[32, 16\], config.json a"),
        (lambda f: edited(f, num_hidden_layers=4), "has no encoder.layer.3.attention.self.query.w"),
        (lambda f: (f / "model.safetensors").write_bytes(b"none"), "is not a safetensors file"),
    ],
    ids=["shape", "layer", "no safetensors"],
)
def test_weights_that_do_not_fit_are_one_sentence(
    folder: Path, break_it: Callable[[Path], Any], message: str
) -> None:
    break_it(folder)
    with pytest.raises(ValueError, match=message):
        model_of(PretrainedTeacher(pretrained=str(folder)))
