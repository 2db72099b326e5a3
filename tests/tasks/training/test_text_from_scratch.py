"""Networks that learn text from the training rows alone: they learn, export, and ignore padding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from torch import nn

from tasks.artifacts import DatasetRef
from tasks.compression.config import QuantizeConfig
from tasks.compression.quantize import quantize_graph
from tasks.data.snapshot import split_rows
from tasks.packaging.export import export_graph, torch_logits
from tasks.packaging.predictor.predictor import _open_session
from tasks.training.architectures import EmbeddingPool, Gru, Lstm, Rnn, Transformer
from tasks.training.blueprint import Blueprint, first_model, open_encoder
from tasks.training.blueprints import blueprint_of
from tasks.training.config import TrainConfig
from tasks.training.course import Course, Material, Setting, new_state
from tasks.training.device import Device
from tasks.training.examples import encode
from tasks.training.job import Rows
from tasks.training.learned_vocabulary import learned_vocabulary
from tasks.training.loop import train
from tasks.training.losses import LabelLoss

SMALL: dict[str, Any] = {"width": 16, "vocab_size": 512, "dropout": 0.0}
CONFIGS: dict[str, TrainConfig] = {
    "transformer": Transformer(**SMALL, feed_forward=32),
    "shared layers": Transformer(**SMALL, feed_forward=32, layers=3, share_layers=True),
    "rnn": Rnn(**SMALL),
    "lstm": Lstm(**SMALL, layers=2),
    "gru over words": Gru(**SMALL, bidirectional=False, tokens="words"),
    "embedding pool": EmbeddingPool(**SMALL, hidden=16),
    "pool over words": EmbeddingPool(**SMALL, hidden=16, tokens="words"),
}
TEXTS = ["late", "the crew was lovely and quick", "awful awful rude flight 12 the crew", "kind"]
Data = tuple[Path, DatasetRef]


def rows_of(data: Data, split: Any) -> Rows:
    rows = split_rows(*data, split)
    return Rows(rows.columns, rows.labels)


def blueprint(name: str, data: Data) -> Blueprint:
    return blueprint_of(CONFIGS[name], data[1], rows_of(data, "train"))


@pytest.mark.parametrize("name", CONFIGS)
def test_it_learns_words(name: str, small_dataset: Data) -> None:
    made = blueprint(name, small_dataset)
    encoder = open_encoder(made)
    train_rows, valid_rows = (rows_of(small_dataset, split) for split in ("train", "valid"))
    material = Material(
        encoder=encoder,
        train=encode(encoder, train_rows.columns, train_rows.labels),
        valid=encode(encoder, valid_rows.columns, valid_rows.labels),
    )
    course = Course(epochs=12, batch_size=16, lr=1e-2, seed=7, loss=LabelLoss())
    cpu = Device(torch.device("cpu"), bfloat16=True)
    state = new_state(first_model(made, 7), course, cpu)
    train(state, course, material, Setting(cpu))
    assert state.best_score > 0.9


@pytest.mark.parametrize("name", CONFIGS)
def test_the_graph_answers_as_torch_for_any_number_and_length_of_rows(
    name: str, small_dataset: Data, tmp_path: Path
) -> None:
    made = blueprint(name, small_dataset)
    model, encoder = first_model(made, 7).eval(), open_encoder(made)
    rows = encoder.rows({"text": [*TEXTS, "late " * 300]})
    export_graph(model, encoder, [rows[2], rows[0]], tmp_path / "model.onnx")
    session = _open_session(tmp_path / "model.onnx", 1)
    alone = [session.run(None, encoder.batch([row]))[0] for row in rows]
    (together,) = session.run(None, encoder.batch(rows))
    with torch.no_grad():
        expected = torch_logits(model, encoder, rows)
    np.testing.assert_allclose(np.concatenate(alone), expected, atol=1e-5)
    np.testing.assert_allclose(together, expected, atol=1e-5)
    alone_fed = [encoder.batch([row]) for row in rows]
    quantize_graph(
        tmp_path / "model.onnx", tmp_path / "int8.onnx", QuantizeConfig(), (alone_fed, alone_fed)
    )
    small = _open_session(tmp_path / "int8.onnx", 1)
    np.testing.assert_allclose(small.run(None, encoder.batch(rows[:1]))[0], expected[:1], atol=0.1)


def test_shared_layers_are_one_layer_many_times(small_dataset: Data) -> None:
    shared = first_model(blueprint("shared layers", small_dataset), 7).eval()
    config = Transformer(**SMALL, feed_forward=32, layers=3)
    plain = first_model(
        blueprint_of(config, small_dataset[1], rows_of(small_dataset, "train")), 7
    ).eval()
    state = shared.state_dict()
    copies = {
        name.replace("layers.0.", f"layers.{index}."): weight
        for name, weight in state.items()
        for index in range(3)
    }
    plain.load_state_dict(copies)
    ids, mask = torch.tensor([[2, 7, 8, 3]]), torch.ones(1, 4, dtype=torch.long)
    assert torch.equal(shared(ids, mask), plain(ids, mask))
    sizes = [sum(weight.numel() for weight in model.parameters()) for model in (shared, plain)]
    layer = sum(weight.numel() for weight in plain.layers[0].parameters())
    assert sizes[1] - sizes[0] == 2 * layer


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_both_directions_are_torchs_over_packed_rows(cell: Any) -> None:
    from models.recurrent import CELLS, RecurrentLayers

    torch.manual_seed(0)
    ours = RecurrentLayers(cell, 5, 4, layers=2)
    theirs = CELLS[cell](5, 4, num_layers=2, batch_first=True, bidirectional=True)
    for index in range(2):
        for layer, mark in (
            (ours.forward_layers[index], ""), (ours.backward_layers[index], "_reverse")
        ):  # fmt: skip
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                weight = getattr(layer, f"{part}_l0").detach()
                setattr(theirs, f"{part}_l{index}{mark}", nn.Parameter(weight))
    inputs, lengths = torch.randn(3, 6, 5), torch.tensor([6, 4, 1])
    mask = (torch.arange(6)[None] < lengths[:, None]).long()
    packed = nn.utils.rnn.pack_padded_sequence(inputs, lengths, batch_first=True)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    found = ours(inputs + 99 * (1 - mask)[:, :, None], mask)
    torch.testing.assert_close(found[mask.bool()], expected[mask.bool()])


def test_the_vocabulary_is_learned_from_the_rows_and_always_the_same() -> None:
    random = np.random.default_rng(0)
    words = ["".join(random.choice(list("aeirstnzü"), 5)) for _ in range(300)]
    texts = [" ".join(random.choice(words, 8)) for _ in range(200)] + ["die Züge fahren"] * 500
    first, size = learned_vocabulary(texts, 300)
    assert all(learned_vocabulary(texts, 300) == (first, size) for _ in range(5))
    assert size == 300
    tokenizer = Tokenizer.from_str(first)
    assert tokenizer.encode("die ZÜGE [SEP] 漢").tokens == [
        "[CLS]", "▁die", "▁zuge", "[SEP]", "▁", "[UNK]", "[SEP]"
    ]  # fmt: skip
