"""Layers that mind fewer bits are found by measuring them one at a time."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tasks.compression.config import QuantizeConfig
from tasks.compression.precisions import layers_of
from tasks.compression.quantize import quantize_graph
from tasks.compression.sensitivity import noise_of

RANDOM = np.random.default_rng(5)
FEEDS = [{"x": RANDOM.normal(size=(1, 64)).astype(np.float32)} for _ in range(40)]


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Two products in a row; in the second one a weight in 64 of each output dwarfs the others."""
    first, second = (RANDOM.normal(size=(64, 64)).astype(np.float32) for _ in range(2))
    second[0] *= 60
    first[:, 0] /= 60
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["h"], "even"),
        helper.make_node("MatMul", ["h", "second"], ["y"], "uneven"),
    ]
    shapes = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 64]) for name in ("x", "y")
    ]
    weights = [
        onnx.numpy_helper.from_array(w, n) for w, n in ((first, "first"), (second, "second"))
    ]
    made = helper.make_graph(nodes, "two", shapes[:1], shapes[1:], weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.save(model, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def test_the_planted_layer_is_the_loudest_and_is_kept(graph: Path, tmp_path: Path) -> None:
    form = QuantizeConfig(keep="auto", most_noise=0.01)
    plain = quantize_graph(graph, tmp_path / "plain.onnx", QuantizeConfig(), (FEEDS, FEEDS))
    kept = quantize_graph(graph, tmp_path / "kept.onnx", form, (FEEDS, FEEDS))
    assert plain.noise > 0.01 >= kept.noise
    assert kept.layers == ("uneven",)
    assert next(iter(kept.alone)) == "uneven"
    left = onnx.load(tmp_path / "kept.onnx")
    assert [n.name for n in left.graph.node if n.op_type == "MatMul"] == ["uneven"]
    assert layers_of(onnx.load(tmp_path / "plain.onnx"), "int8") == []


def test_noise_of_layers_adds_up(graph: Path, tmp_path: Path) -> None:
    """What the order of the kept layers rests on."""
    form = QuantizeConfig(keep="auto", most_noise=0.9)
    kept = quantize_graph(graph, tmp_path / "kept.onnx", form, (FEEDS, FEEDS))
    assert kept.layers == ()
    assert kept.noise == pytest.approx(sum(kept.alone.values()), rel=0.5)


def test_noise_is_a_share_of_the_variance() -> None:
    expected = RANDOM.normal(size=(2000, 3)) * 4 + 100
    found = expected + RANDOM.normal(size=expected.shape)
    assert noise_of(found, expected) == pytest.approx(1 / 16, rel=0.1)
    assert noise_of(expected, expected) == 0
    assert noise_of(np.ones((4, 2)), np.ones((4, 2))) == 0
