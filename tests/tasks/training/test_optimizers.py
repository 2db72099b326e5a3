"""Each optimizer against its formula in numpy, with decoupled decay; saved and loaded."""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from tasks.training.config import TrainConfig
from tasks.training.course import Course, new_state
from tasks.training.losses import LabelLoss
from tasks.training.optimizers import make_optimizer
from tasks.training.schedule_free import weights_answered_with
from tasks.training.technique import OptimizerName, Technique
from tests.in_process import CPU

LR, DECAY, STEPS = 0.05, 0.1, 4
Array = np.ndarray
Step = Callable[[Array, Array, dict[str, Array], int], Array]
"""(weights, gradient, state, step from 1) to the new weights, decay aside."""


def sgd(w: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    return w - LR * g


def momentum(w: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    state["v"] = 0.9 * state.get("v", 0) + g
    return w - LR * state["v"]


def nesterov(w: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    state["v"] = 0.9 * state.get("v", 0) + g
    return w - LR * (g + 0.9 * state["v"])


def adagrad(w: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    state["s"] = state.get("s", 0) + g**2
    return w - LR * g / (np.sqrt(state["s"]) + 1e-10)


def adadelta(w: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    state["s"] = 0.9 * state.get("s", 0) + 0.1 * g**2
    moved = np.sqrt(state.get("d", 0) + 1e-6) / np.sqrt(state["s"] + 1e-6) * g
    state["d"] = 0.9 * state.get("d", 0) + 0.1 * moved**2
    return w - LR * moved


def rmsprop(w: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    state["s"] = 0.99 * state.get("s", 0) + 0.01 * g**2
    return w - LR * g / (np.sqrt(state["s"]) + 1e-8)


def adam(w: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * g**2
    m, v = state["m"] / (1 - 0.9**t), state["v"] / (1 - 0.999**t)
    return w - LR * m / (np.sqrt(v) + 1e-8)


def lion(w: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    m = state.get("m", np.zeros_like(w))
    state["m"] = 0.99 * m + 0.01 * g
    return w - LR * np.sign(0.9 * m + 0.1 * g)


def schedule_free(w: Array, g: Array, state: dict[str, Array], t: int) -> Array:
    """Algorithm 1 of arXiv:2405.15682 with AdamW's step; `w` is y, x is kept here.

    The rate is constant, so every step weighs the same. Decay is not aside: it is taken at y.
    """
    x, z = state.get("x", w), state.get("z", w)
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * g**2
    update = g / (np.sqrt(state["v"] / (1 - 0.999**t)) + 1e-8) + state["decay"] * w
    state["z"] = z - LR * update
    state["x"] = x + (state["z"] - x) / t
    return 0.1 * state["z"] + 0.9 * state["x"]


REFERENCES: dict[str, Step] = {
    "adamw": adam,
    "adam": adam,
    "sgd": sgd,
    "gradient_descent": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "rmsprop": rmsprop,
    "lion": lion,
}


def layer() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(5, 3)


def gradients() -> list[dict[str, torch.Tensor]]:
    torch.manual_seed(2)
    return [
        {name: torch.randn_like(weight) for name, weight in layer().named_parameters()}
        for _ in range(STEPS)
    ]


def stepped(name: OptimizerName, model: nn.Linear, decay: float, first: int = 0) -> nn.Linear:
    optimizer = make_optimizer(name, model, LR, decay)
    for found in gradients()[first:]:
        take(optimizer, model, found)
    return model


def take(
    optimizer: torch.optim.Optimizer, model: nn.Linear, found: dict[str, torch.Tensor]
) -> None:
    for key, weight in model.named_parameters():
        weight.grad = found[key].clone()
    optimizer.step()


def test_every_optimizer_has_a_reference() -> None:
    assert set(REFERENCES) | {"muon", "schedule_free"} == set(get_args(OptimizerName))


@pytest.mark.parametrize("name", REFERENCES)
def test_it_follows_its_formula(name: OptimizerName) -> None:
    found = stepped(name, layer(), DECAY)
    for key, start in layer().named_parameters():
        weights, state = start.detach().double().numpy(), {}
        for step, gradient in enumerate(gradients(), 1):
            decay = 1 - LR * DECAY if key == "weight" else 1.0  # a bias does not decay
            weights = REFERENCES[name](decay * weights, gradient[key].double().numpy(), state, step)
        ours = dict(found.named_parameters())[key].detach().numpy()
        np.testing.assert_allclose(ours, weights, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_the_usual_rate_is_of_steps_that_add_up(name: OptimizerName, share: float) -> None:
    plain = TrainConfig(optimizer="sgd").first_lr
    found = TrainConfig(optimizer=name, momentum=share).first_lr
    assert found == pytest.approx(plain * (1 - share))
    assert TrainConfig(optimizer=name).first_lr == 10 * TrainConfig().first_lr


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_momentum_is_a_setting(name: OptimizerName, share: float) -> None:
    course = Course(
        epochs=1, batch_size=1, lr=LR, seed=1, loss=LabelLoss(),
        technique=Technique(optimizer=name, momentum=share),
    )  # fmt: skip
    state = new_state(layer(), course, CPU)
    for found in gradients():
        take(state.optimizer, state.model, found)
    start, velocity = layer().weight.detach().double().numpy(), 0.0
    for gradient in gradients():
        g = gradient["weight"].double().numpy()
        velocity = share * velocity + g
        start = start - LR * (g + share * velocity if name == "nesterov" else velocity)
    np.testing.assert_allclose(state.model.weight.detach().numpy(), start, rtol=2e-5, atol=2e-6)


def test_schedule_free_follows_its_algorithm() -> None:
    model = layer()
    optimizer = make_optimizer("schedule_free", model, LR, DECAY)
    for found in gradients():
        take(optimizer, model, found)
    answering = weights_answered_with(optimizer, model, model.state_dict())
    for key, start in layer().named_parameters():
        y = start.detach().double().numpy()
        state = {"decay": DECAY if key == "weight" else 0.0}
        for step, gradient in enumerate(gradients(), 1):
            y = schedule_free(y, gradient[key].double().numpy(), state, step)
        ours = dict(model.named_parameters())[key].detach().numpy()
        np.testing.assert_allclose(ours, y, rtol=2e-5, atol=2e-6)
        np.testing.assert_allclose(answering[key].numpy(), state["x"], rtol=2e-5, atol=2e-6)


def test_muon_moves_a_matrix_by_an_orthogonal_one() -> None:
    model, before = layer(), layer()
    take(make_optimizer("muon", model, LR, 0.0), model, gradients()[0])
    moved = (before.weight - model.weight).detach() / LR
    values = torch.linalg.svdvals(moved)
    # Five Newton-Schulz steps leave singular values between 0.7 and 1.2 of one another.
    assert float(values.max() / values.min()) < 2
    expected = adam(
        before.bias.detach().numpy(), gradients()[0]["bias"].numpy(), {}, 1
    )  # vectors go by AdamW
    np.testing.assert_allclose(model.bias.detach().numpy(), expected, rtol=1e-4)


def test_muon_steps_along_the_nearest_orthogonal_matrix() -> None:
    model, before = layer(), layer()
    take(make_optimizer("muon", model, LR, 0.0), model, gradients()[0])
    moved = (before.weight - model.weight).detach().double().numpy() / LR
    left, _, right = np.linalg.svd(gradients()[0]["weight"].double().numpy(), full_matrices=False)
    nearest = left @ right
    # As long as AdamW's step: 0.2 for each entry, root mean square (arXiv:2502.16982).
    nearest *= 0.2 * np.sqrt(max(moved.shape))
    assert (moved * nearest).sum() / np.linalg.norm(moved) / np.linalg.norm(nearest) > 0.98
    assert np.linalg.norm(moved) / np.linalg.norm(nearest) == pytest.approx(1, abs=0.25)


def newton_schulz(matrix: Array) -> Array:
    """Five steps towards the nearest orthogonal matrix (Jordan 2024)."""
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / np.linalg.norm(x)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


@pytest.mark.parametrize("shape", [(16, 8), (8, 16), (32, 32)], ids=str)
def test_muon_follows_its_formula_over_four_steps(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    model = nn.Linear(*shape, bias=False)
    start, momentum = model.weight.detach().double().numpy().copy(), np.zeros(shape[::-1])
    weights = start
    optimizer = make_optimizer("muon", model, LR, DECAY)
    torch.manual_seed(2)
    for _ in range(STEPS):
        model.weight.grad = torch.randn_like(model.weight)
        gradient = model.weight.grad.double().numpy().copy()
        optimizer.step()
        momentum = 0.95 * momentum + 0.05 * gradient
        ahead = 0.05 * gradient + 0.95 * momentum  # Nesterov's; its length does not matter
        way = 0.2 * np.sqrt(max(shape)) * newton_schulz(ahead)
        weights = (1 - LR * DECAY) * weights - LR * way
    # It multiplies in bfloat16, which has three digits; a momentum of 0.9 would be 0.04 away.
    apart = np.linalg.norm(model.weight.detach().numpy() - weights)
    assert apart < 0.02 * np.linalg.norm(weights - start)


def test_muon_decays_kernels_as_it_does_matrices() -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv1d(2, 3, 4), nn.Embedding(5, 3), nn.Linear(3, 2))
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    optimizer = make_optimizer("muon", model, LR, DECAY)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    for name, weight in model.named_parameters():
        decays = name in ("0.weight", "2.weight")  # neither biases nor the table
        expected = before[name] * (1 - LR * DECAY if decays else 1.0)
        torch.testing.assert_close(weight.detach(), expected)
    alone = make_optimizer("muon", nn.Sequential(nn.Conv1d(2, 3, 4, bias=False)), LR, DECAY)
    assert [group["weight_decay"] for group in alone.param_groups] == [DECAY]


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_loaded_is_as_if_never_saved(name: OptimizerName) -> None:
    whole = stepped(name, layer(), DECAY)
    model = layer()
    optimizer = make_optimizer(name, model, LR, DECAY)
    take(optimizer, model, gradients()[0])
    copy = layer()
    copy.load_state_dict(model.state_dict())
    loaded = make_optimizer(name, copy, LR, DECAY)
    loaded.load_state_dict(optimizer.state_dict())
    for found in gradients()[1:]:
        take(loaded, copy, found)
    assert torch.equal(copy.weight, whole.weight)
    assert torch.equal(copy.bias, whole.bias)


def test_decay_is_the_optimizers_own_unless_given() -> None:
    assert Technique().decay == 0.01
    assert Technique(optimizer="sgd").decay == 0
    assert Technique(optimizer="sgd", weight_decay=0.2).decay == 0.2
