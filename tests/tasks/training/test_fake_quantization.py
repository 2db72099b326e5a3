"""Rounding in training: to the runtime's own steps, and past it on the way back."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession
from torch import Tensor, nn

from models.build import build_model
from tasks.training.course import Course, Setting, own_weights
from tasks.training.fake_quantization import (
    KEPT_AS,
    fake_quantize,
    plain_weights,
    rounded_blocks,
    rounded_outputs,
    rounded_rows,
    rounded_table,
)
from tasks.training.hints import HintLoss
from tasks.training.loop import train
from tasks.training.losses import DistilLoss, LabelLoss
from tasks.training.resume import restore
from tests.in_process import Stop, StopAt

ROUNDED = [rounded_outputs, rounded_table, rounded_blocks, rounded_rows]


def drawn(*shape: int, seed: int = 1, shift: float = 0.0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) + shift


@pytest.mark.parametrize("shift", [0.0, 3.0, -3.0], ids=["both signs", "above", "below"])
def test_activations_are_rounded_as_the_runtime_rounds_them(shift: float) -> None:
    rows = drawn(4, 5, 6, shift=shift)
    rows[1] = 0.0
    make, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    nodes = [
        make("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        make("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    ends = [tensor(name, onnx.TensorProto.FLOAT, None) for name in "xy"]
    graph = onnx.helper.make_graph(nodes, "round", ends[:1], ends[1:])
    opset = [onnx.helper.make_opsetid("", 20)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)
    session = InferenceSession(model.SerializeToString())
    expected = [session.run(None, {"x": row.numpy()})[0] for row in rows]
    np.testing.assert_allclose(rounded_rows(rows), np.stack(expected), atol=1e-6)


def test_weights_of_an_output_have_127_steps_to_either_side() -> None:
    weight = drawn(3, 40)
    step = weight.abs().amax(1, keepdim=True) / 127
    torch.testing.assert_close(rounded_outputs(weight), (weight / step).round() * step)


def test_a_block_of_a_table_has_16_steps_of_its_own() -> None:
    table = drawn(3, 64)
    for block, found in zip(table.view(-1, 32), rounded_blocks(table).view(-1, 32), strict=True):
        largest = max(block.tolist(), key=abs)
        steps = found / (largest / -8)
        torch.testing.assert_close(steps, (block / (largest / -8)).round().clamp(-8, 7))


def test_a_table_has_steps_of_one_size_and_a_zero_among_them() -> None:
    table = drawn(30, 4, shift=2.0)
    found = rounded_table(torch.cat([table, torch.zeros(1, 4)]))
    step = table.max().clamp(min=0) - table.min().clamp(max=0)
    assert len(found.unique()) <= 256
    assert (found[-1] == 0).all()
    assert (found[:-1] - table).abs().max() <= 0.51 * step / 255


@pytest.mark.parametrize("rounded", ROUNDED)
def test_gradients_go_straight_through(rounded: Callable[[Tensor], Tensor]) -> None:
    numbers, slope = drawn(4, 64).requires_grad_(), drawn(4, 64, seed=2)
    (rounded(numbers) * slope).sum().backward()
    assert numbers.grad is not None
    # What lies beyond the last step, at most a half of one, is cut off and learns nothing.
    passed = numbers.grad != 0
    assert passed.float().mean() > 0.9
    torch.testing.assert_close(numbers.grad[passed], slope[passed])


@pytest.mark.parametrize("rounded", ROUNDED)
def test_zeros_stay_zeros_and_can_be_learned(rounded: Callable[[Tensor], Tensor]) -> None:
    numbers = torch.zeros(3, 32, requires_grad=True)
    found = rounded(numbers)
    found.sum().backward()
    assert (found == 0).all()
    assert numbers.grad is not None
    assert (numbers.grad == 1).all()


def test_a_products_gradients_are_those_of_its_rounded_numbers() -> None:
    """dL/dW = g' x and dL/dx = g W, of the x and W that were multiplied."""
    layer, rows = nn.Linear(6, 3), drawn(4, 6).requires_grad_()
    weight = layer.weight.detach().clone()
    fake_quantize(layer, "int8")
    slope = drawn(4, 3, seed=3)
    (layer(rows) * slope).sum().backward()
    learned = dict(layer.named_parameters())["parametrizations.weight.original"]
    inside = rounded_rows(rows.detach())
    assert learned.grad is not None
    assert rows.grad is not None
    torch.testing.assert_close(learned.grad, slope.T @ inside)
    passed = rows.grad != 0
    expected = slope @ rounded_outputs(weight)
    torch.testing.assert_close(rows.grad[passed], expected[passed])
    torch.testing.assert_close(layer.bias.grad, slope.sum(0))


def rounding(toy: ModuleType, epochs: int = 2) -> Course:
    return replace(toy.toy_course(epochs=epochs), fake_quantized="int8")


def test_what_is_trained_has_the_names_and_the_decay_of_its_architecture(toy: ModuleType) -> None:
    state = toy.toy_state(rounding(toy))
    plain = build_model("text_encoder", toy.SHAPE)
    assert set(plain_weights(state.model.state_dict())) == set(plain.state_dict())
    plain.load_state_dict(plain_weights(state.model.state_dict()))
    others = toy.toy_state(toy.toy_course())
    for ours, theirs in zip(
        state.optimizer.param_groups, others.optimizer.param_groups, strict=True
    ):
        assert [p.shape for p in ours["params"]] == [p.shape for p in theirs["params"]]


def test_hints_are_learned_beside_rounding_and_leave_no_trace(toy: ModuleType) -> None:
    material = toy.toy_material()
    seen = np.random.default_rng(3).standard_normal((len(material.train), 5), np.float32)
    said = np.concatenate([material.train.teacher, seen], axis=1)
    taught = replace(material, train=replace(material.train, teacher=said))
    answers = DistilLoss(temperature=2.0, weight=0.8)
    loss = HintLoss(answers=answers, num_answers=3, width=5, features=0.5)
    course = replace(rounding(toy, epochs=1), loss=loss)
    state = toy.toy_state(course)
    train(state, course, taught, Setting(toy.CPU))
    plain = build_model("text_encoder", toy.SHAPE)
    plain.load_state_dict(own_weights(state.model.state_dict()))


def test_a_killed_training_ends_as_an_undisturbed_one(toy: ModuleType) -> None:
    course, material = rounding(toy), toy.toy_material()
    whole = toy.toy_state(course)
    train(whole, course, material, Setting(toy.CPU))
    stopped, kill = toy.toy_state(course), StopAt(6)
    with pytest.raises(Stop):
        train(stopped, course, material, Setting(toy.CPU, observer=kill))
    again = toy.toy_state(course)
    assert kill.checkpoint is not None
    restore(again, kill.checkpoint)
    train(again, course, material, Setting(toy.CPU))
    for name, weight in whole.trained_weights().items():
        assert torch.equal(weight, again.trained_weights()[name]), name


def test_a_model_learns_to_live_with_coarse_steps(toy: ModuleType) -> None:
    """One huge number in the table leaves the words few steps: what was learned goes, and comes
    back when it is learned with that rounding."""
    material = toy.toy_material(200)
    course = Course(epochs=15, batch_size=16, lr=5e-3, seed=7, loss=LabelLoss())
    state = toy.toy_state(course, dropout=0.0)
    train(state, course, material, Setting(toy.CPU))
    weights = {n: w.clone() for n, w in state.model.state_dict().items()}
    weights["embeddings.words.weight"][0, 0] = 60.0  # of padding, which nobody reads
    aware = replace(course, fake_quantized="int8")
    rounded = toy.toy_state(aware, dropout=0.0)
    own = {name: weights[name.replace(KEPT_AS, ".weight")] for name in rounded.model.state_dict()}
    rounded.model.load_state_dict(own)
    train(rounded, aware, material, Setting(toy.CPU))
    curve = [p["valid/macro_f1"] for p in rounded.history if "valid/macro_f1" in p]
    before = max(p.get("valid/macro_f1", 0.0) for p in state.history)
    assert curve[0] < before - 0.05
    assert max(curve) > curve[0] + 0.05
