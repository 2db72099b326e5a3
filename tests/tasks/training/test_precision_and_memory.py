"""float16, blocks computed twice, memory that runs out: the same training, resumed exactly."""

import logging
import weakref
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from models.build import build_model
from tasks.training.architectures import (
    CausalTransformer,
    FtTransformer,
    Lenet,
    LstmLanguage,
    MiniLM,
    Mlp,
    Resnet,
    TableResNet,
    Transformer,
)
from tasks.training.config import ComputeConfig
from tasks.training.course import Course, Setting, TrainState, new_state
from tasks.training.device import Device, choose_device
from tasks.training.gradients import Diverged
from tasks.training.loop import train
from tasks.training.memory import gathered_apart, is_out_of_memory
from tasks.training.recompute import BLOCKS, recompute_blocks
from tasks.training.resume import restore
from tests.in_process import Stop, StopAt

FLOAT16 = Device(torch.device("cpu"), bfloat16=False, float16=True)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def state_of(toy: ModuleType, course: Course, device: Device | None = None) -> TrainState:
    return new_state(toy.toy_state(course).model, course, device or toy.CPU)


def same(one: TrainState, other: TrainState) -> bool:
    others = other.trained_weights()
    return all(torch.equal(w, others[name]) for name, w in one.trained_weights().items())


# float16


def test_float16_learns_what_float32_learns(toy: ModuleType) -> None:
    course = toy.toy_course(epochs=8)
    half, single = state_of(toy, course, FLOAT16), state_of(toy, course)
    for state, device in ((half, FLOAT16), (single, toy.CPU)):
        train(state, course, toy.toy_material(), Setting(device))
    found, expected = (state.history[-1]["train/loss"] for state in (half, single))
    assert found == pytest.approx(expected, abs=0.05)
    assert not same(half, single)


def test_a_step_that_overflows_is_skipped_and_the_scale_halved(toy: ModuleType) -> None:
    course = toy.toy_course()
    state = state_of(toy, course, FLOAT16)
    state.scaler.load_state_dict(state.scaler.state_dict() | {"scale": 2.0**25})
    before = {name: weight.clone() for name, weight in state.trained_weights().items()}
    with pytest.raises(Stop):
        train(state, course, toy.toy_material(), Setting(FLOAT16, observer=StopAt(1)))
    assert state.scaler.get_scale() == 2.0**24
    assert all(torch.equal(before[name], w) for name, w in state.trained_weights().items())
    assert 0 < state.history[0]["gradient/nonfinite_share"] <= 1
    assert "gradient/norm" not in state.history[0]
    train(state, course, toy.toy_material(), Setting(FLOAT16))
    assert state.scaler.get_scale() < 2.0**24
    assert not torch.equal(before["head.weight"], state.model.head.weight)


def test_a_loss_that_overflows_at_any_scale_is_told(toy: ModuleType) -> None:
    course = replace(toy.toy_course(), lr=1.0)
    state = state_of(toy, course, FLOAT16)
    with torch.no_grad():
        state.model.head.weight.fill_(float("nan"))
    with pytest.raises(Diverged, match="the gradient is not finite"):
        train(state, replace(course, epochs=20), toy.toy_material(), Setting(FLOAT16))


def test_the_scale_is_part_of_a_checkpoint(toy: ModuleType) -> None:
    course = toy.toy_course(epochs=3)

    def begun() -> TrainState:
        state = state_of(toy, course, FLOAT16)
        state.scaler.load_state_dict(state.scaler.state_dict() | {"scale": 2.0**25})
        return state

    whole, stop = begun(), StopAt(7)
    train(whole, course, toy.toy_material(), Setting(FLOAT16))
    with pytest.raises(Stop):
        train(begun(), course, toy.toy_material(), Setting(FLOAT16, observer=stop))
    resumed = state_of(toy, course, FLOAT16)
    restore(resumed, stop.checkpoint)
    train(resumed, course, toy.toy_material(), Setting(FLOAT16))
    assert resumed.scaler.state_dict() == whole.scaler.state_dict()
    assert same(resumed, whole)


def test_float16_is_for_cuda() -> None:
    with pytest.raises(ValidationError, match=r"compute\.precision float16 needs CUDA; on compute"):
        ComputeConfig(device="cpu", precision="float16")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="this worker has no CUDA device; allowed: auto, fl"):
            choose_device(ComputeConfig(precision="float16"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_it_learns_on_cuda_in_float16(toy: ModuleType) -> None:
    device = choose_device(ComputeConfig(precision="float16"))
    course = toy.toy_course(epochs=10)
    state = state_of(toy, course, device)
    train(state, course, toy.toy_material(), Setting(device))
    assert state.history[-1]["train/loss"] < state.history[0]["train/loss"]


# Gradient checkpointing

PIXELS = {"pixels": torch.randn(4, 1, 8, 8)}
IDS = torch.arange(1, 25).view(4, 6)
NETWORKS: dict[str, tuple[dict[str, Any], dict[str, Tensor]]] = {
    "text_encoder": (
        {"vocab_size": 40, "layers": 2, "width": 16, "heads": 2, "feed_forward": 32,
         "max_positions": 8, "dropout": 0.3},
        {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)},
    ),
    "table_resnet": ({"numbers": 5, "width": 16, "dropout": 0.3}, {"numbers": torch.randn(4, 5)}),
    "resnet": ({}, PIXELS),
    "ft_transformer": (
        {"numbers": 5, "categories": (4, 3), "width": 16, "dropout": 0.3},
        {"numbers": torch.randn(4, 5), "categories": torch.ones(4, 2, dtype=torch.int64)},
    ),
    "causal_transformer": (
        {"vocab_size": 40, "layers": 2, "width": 16, "heads": 2, "feed_forward": 32,
         "dropout": 0.3},
        {"input_ids": IDS},
    ),
}  # fmt: skip


def built(family: str, shape: dict[str, Any]) -> nn.Module:
    classes = {} if family == "causal_transformer" else {"num_classes": 3}
    return build_model(family, classes | shape)


def gradients(model: nn.Module, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    torch.manual_seed(3)
    model.train()
    torch.autograd.backward(model(**inputs).square().sum())
    return {name: weight.grad for name, weight in model.named_parameters()}


@pytest.mark.parametrize("family", NETWORKS)
def test_blocks_computed_twice_have_the_same_gradients(family: str) -> None:
    shape, inputs = NETWORKS[family]
    torch.manual_seed(1)
    model = built(family, shape)
    names = list(model.state_dict())
    once = {name: grad.clone() for name, grad in gradients(model, inputs).items()}
    model.zero_grad()
    recompute_blocks(model)
    twice = gradients(model, inputs)
    assert all(torch.equal(once[name], twice[name]) for name in once)
    assert list(model.state_dict()) == names


def test_every_kind_of_block_is_tried() -> None:
    blocks = {
        type(module) for name in NETWORKS for module in built(name, NETWORKS[name][0]).modules()
    }
    assert set(BLOCKS) <= blocks


def test_fewer_values_are_kept_for_the_way_back() -> None:
    shape, inputs = NETWORKS["text_encoder"]
    model = build_model("text_encoder", {"num_classes": 3} | shape | {"layers": 6})

    def kept() -> int:
        sizes: list[int] = []

        def pack(tensor: Tensor) -> Tensor:
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            model(**inputs)
        return sum(sizes)

    whole = kept()
    recompute_blocks(model)
    assert kept() < 0.5 * whole


def test_a_training_with_it_ends_the_same(toy: ModuleType) -> None:
    course = toy.toy_course()
    plain, twice = (
        state_of(toy, course),
        state_of(toy, replace(course, gradient_checkpointing=True)),
    )
    for state in (plain, twice):
        train(state, course, toy.toy_material(), Setting(toy.CPU))
    assert same(plain, twice)


@pytest.mark.parametrize(
    "config", [MiniLM, Transformer, TableResNet, FtTransformer, Resnet, CausalTransformer]
)
def test_networks_of_blocks_have_the_field(config: type) -> None:
    assert config(gradient_checkpointing=True).gradient_checkpointing
    assert not config().gradient_checkpointing


@pytest.mark.parametrize("config", [Mlp, Lenet, LstmLanguage])
def test_others_refuse_it(config: type) -> None:
    with pytest.raises(ValidationError, match="gradient_checkpointing"):
        config(gradient_checkpointing=True)


# Memory


class Small(nn.Module):
    """A model on a device that holds so many rows at once, and no more."""

    def __init__(self, model: nn.Module, rows: int, error: Callable[[], Exception]) -> None:
        super().__init__()
        self.model, self.rows, self.error = model, rows, error

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        if self.training and len(input_ids) > self.rows:
            raise self.error()
        return self.model(input_ids, attention_mask)


ERRORS = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory"),
    "cpu": lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: ..."),
    "python": MemoryError,
}


def on_small(
    toy: ModuleType, course: Course, rows: int, error: Callable[[], Exception] = MemoryError
) -> TrainState:
    return new_state(Small(toy.toy_state(course).model, rows, error), course, toy.CPU)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_batch_that_does_not_fit_is_computed_in_parts(
    toy: ModuleType, error: Callable[[], Exception], caplog: pytest.LogCaptureFixture
) -> None:
    course = toy.toy_course()
    state = on_small(toy, course, 5, error)
    with caplog.at_level(logging.WARNING):
        train(state, course, toy.toy_material(), Setting(toy.CPU))
    assert state.parts == 4
    assert [record.getMessage() for record in caplog.records] == [
        "step 0: out of memory with 14 rows at once; batches are computed in 2 parts from now on",
        "step 0: out of memory with 7 rows at once; batches are computed in 4 parts from now on",
    ]
    asked = replace(course, technique=course.technique.model_copy(update={"accumulate": 4}))
    expected = on_small(toy, asked, 5)
    train(expected, asked, toy.toy_material(), Setting(toy.CPU))
    assert same(state, expected)


class Leaving(Small):
    """One that looks whether what an earlier try had computed is still there."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        computed = torch.ones(3)
        if self.training:
            assert all(other() is None for other in self.left)
            self.left.append(weakref.ref(computed))
        return super().forward(input_ids, attention_mask)


def test_what_a_step_that_failed_had_computed_is_let_go(toy: ModuleType) -> None:
    course = toy.toy_course()
    model = Leaving(toy.toy_state(course).model, 5, MemoryError)
    model.left = []
    state = new_state(model, course, toy.CPU)
    train(state, course, toy.toy_material(), Setting(toy.CPU))
    assert state.parts == 4
    assert len(model.left) > 4


def test_what_the_memory_taught_is_part_of_a_checkpoint(toy: ModuleType) -> None:
    course = toy.toy_course()
    whole, stop = on_small(toy, course, 8), StopAt(6)
    train(whole, course, toy.toy_material(), Setting(toy.CPU))
    with pytest.raises(Stop):
        train(on_small(toy, course, 8), course, toy.toy_material(), Setting(toy.CPU, observer=stop))
    # Where there is more room now, the parts stay: the end is the same bit by bit.
    resumed = on_small(toy, course, 100)
    restore(resumed, stop.checkpoint)
    train(resumed, course, toy.toy_material(), Setting(toy.CPU))
    assert same(resumed, whole)


def test_a_first_step_that_fitted_promises_nothing_beside_moments(toy: ModuleType) -> None:
    state = toy.toy_state(toy.toy_course())
    for step, expected in ((0, 0), (1, 5)):
        state.step = step
        with gathered_apart(state, 5):
            assert state.replica is state.model
        assert state.fitted_size == expected


def test_a_row_that_does_not_fit_is_an_error(toy: ModuleType) -> None:
    course = toy.toy_course()
    with pytest.raises(MemoryError):
        train(on_small(toy, course, 0), course, toy.toy_material(), Setting(toy.CPU))


def test_other_errors_are_not_taken_for_it(toy: ModuleType) -> None:
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    course = toy.toy_course()
    state = on_small(toy, course, 5, lambda: RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(state, course, toy.toy_material(), Setting(toy.CPU))


def test_the_words_of_torchs_allocator_are_known() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 58, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
