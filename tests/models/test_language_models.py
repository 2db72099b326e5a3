"""Language models: no later token changes an earlier answer; the arithmetic is the textbook's."""

import math
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional

from models.build import build_model
from models.causal_transformer import CausalTransformer, CausalTransformerConfig, rotation, turned
from models.ngram_language import CuckooTable
from tasks.evaluation.kneser_ney import cuckoo_halves, kneser_ney

VOCABULARY = 50
SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("causal_transformer", {"layers": 2, "width": 16, "heads": 2, "feed_forward": 32}),
    (
        "causal_transformer",
        {"layers": 2, "width": 16, "heads": 2, "feed_forward": 32, "context": 4},
    ),
    ("lstm_language", {"embedding": 8, "width": 12, "layers": 2}),
    ("ngram_language", {}),
]


def made(family: str, shape: dict[str, Any]) -> nn.Module:
    torch.manual_seed(0)
    if family != "ngram_language":
        return build_model(family, {"vocab_size": VOCABULARY, **shape}).eval()
    rows = [[1, *row, 1] for row in some_ids(20, 9).tolist()]
    single, orders = kneser_ney(rows, VOCABULARY, 3)
    tables = [cuckoo_halves(*order) for order in orders]
    slots = [(len(table["keys_a"]), len(table["keys_b"])) for table in tables]
    model = build_model(family, {"vocab_size": VOCABULARY, "end_id": 1, "slots": slots})
    weights = {
        f"orders.{i}.{name}": half for i, table in enumerate(tables) for name, half in table.items()
    }
    model.load_state_dict({"single": torch.from_numpy(single).float(), **weights})
    return model.eval()


def some_ids(rows: int, tokens: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(2, VOCABULARY, (rows, tokens), generator=generator)


@pytest.mark.parametrize(("family", "shape"), SHAPES, ids=str)
def test_a_later_token_changes_no_earlier_answer(family: str, shape: dict[str, Any]) -> None:
    model, ids = made(family, shape), some_ids(3, 12)
    changed = ids.clone()
    changed[:, 7] = (changed[:, 7] + 5) % VOCABULARY
    with torch.inference_mode():
        before, after = model(ids), model(changed)
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.equal(before[:, 7], after[:, 7])


@pytest.mark.parametrize(("family", "shape"), SHAPES, ids=str)
def test_padding_at_the_end_changes_no_answer(family: str, shape: dict[str, Any]) -> None:
    model, ids = made(family, shape), some_ids(3, 12)
    with torch.inference_mode():
        alone, with_padding = model(ids), model(functional.pad(ids, (0, 6)))
    assert torch.allclose(alone, with_padding[:, :12], atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("family", "shape"), SHAPES, ids=str)
def test_the_graph_answers_as_torch_does_for_other_shapes(
    family: str, shape: dict[str, Any], tmp_path: Any
) -> None:
    model = made(family, shape)
    axes = {0: "rows", 1: "tokens"}
    torch.onnx.export(
        model, (), str(tmp_path / "model.onnx"), kwargs={"input_ids": some_ids(2, 6)}, dynamo=False,
        input_names=["input_ids"], output_names=["logits"],
        dynamic_axes={"input_ids": axes, "logits": axes}, opset_version=20,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    ids = some_ids(5, 17)
    (found,) = session.run(None, {"input_ids": ids.numpy()})
    with torch.inference_mode():
        assert np.abs(found - model(ids).numpy()).max() < 1e-4


def test_what_lies_beyond_the_context_is_not_seen() -> None:
    shape = {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32, "context": 4}
    model, ids = made("causal_transformer", shape), some_ids(1, 12)
    changed = ids.clone()
    changed[:, 3] = (changed[:, 3] + 5) % VOCABULARY
    with torch.inference_mode():
        same = torch.isclose(model(ids), model(changed), atol=1e-6).all(-1)[0]
    assert same.tolist() == [True] * 3 + [False] * 4 + [True] * 5


def test_products_of_turned_vectors_know_distances_alone() -> None:
    query, key = torch.randn(2, 8, generator=torch.Generator().manual_seed(3))
    turns = rotation(20, 8, torch.device("cpu"))
    rows = [turned(vector.expand(1, 1, 20, 8), turns)[0, 0] for vector in (query, key)]
    products = rows[0] @ rows[1].T
    for distance in range(5):
        assert torch.allclose(products.diagonal(-distance), products[distance, 0], atol=1e-5)


def test_the_transformer_is_torch_own_attention() -> None:
    shape = {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32}
    model = made("causal_transformer", shape)
    assert isinstance(model, CausalTransformer)
    layer, ids = model.layers[0], some_ids(2, 9)
    hidden = layer.attention_norm(model.embedding(ids))
    qkv = layer.attention.query_key_value(hidden).view(2, 9, 3, 2, 8).permute(2, 0, 3, 1, 4)
    turns = rotation(9, 8, ids.device)
    expected = functional.scaled_dot_product_attention(
        turned(qkv[0], turns), turned(qkv[1], turns), qkv[2], is_causal=True
    )
    seen = torch.ones(9, 9, dtype=torch.bool).tril()
    found = layer.attention(hidden, seen, turns)
    mixed = expected.transpose(1, 2).reshape(2, 9, 16)
    assert torch.allclose(found, layer.attention.output(mixed), atol=1e-5)


def test_embeddings_are_tied() -> None:
    model = CausalTransformer(CausalTransformerConfig(vocab_size=300))
    shapes = [tuple(weight.shape) for weight in model.parameters()]
    assert shapes.count((300, 192)) == 1


def test_a_cuckoo_table_finds_what_it_holds_and_nothing_else() -> None:
    random = np.random.default_rng(2)
    keys = random.choice(10**12, 5000, replace=False)
    values = random.random(5000)
    halves = cuckoo_halves(keys[:4000], values[:4000])
    table = CuckooTable(len(halves["keys_a"]), len(halves["keys_b"]))
    table.load_state_dict(halves)
    found, known = table(torch.from_numpy(keys))
    assert known[:4000].all()
    assert not known[4000:].any()
    assert torch.allclose(found[:4000].double(), torch.from_numpy(values[:4000]), atol=1e-6)
    assert not found[4000:].any()


def test_likelihood_of_an_untrained_transformer_is_that_of_guessing() -> None:
    model, ids = made("causal_transformer", {}), some_ids(8, 20)
    with torch.inference_mode():
        logits = model(ids)
    loss = functional.cross_entropy(logits.flatten(0, 1), ids.roll(3, dims=1).flatten())
    assert float(loss) == pytest.approx(math.log(VOCABULARY), abs=0.1)
