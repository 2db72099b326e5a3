"""Techniques inside the loop: each resumes exactly, and each does what its name says."""

from dataclasses import replace
from types import ModuleType
from typing import Any, get_args

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional
from torch.optim.lr_scheduler import ReduceLROnPlateau

from models.build import build_model
from tasks.training.architectures import Lenet
from tasks.training.averaging import follow, join
from tasks.training.course import Course, Setting, TrainState
from tasks.training.gradients import (
    Diverged,
    check_norm,
    clip,
    health_of,
    is_looked_at,
    norm_of,
    penalise,
    worst_layer,
)
from tasks.training.loop import move, seed_step, train
from tasks.training.losses import LabelLoss, NumberLoss
from tasks.training.resume import checkpoint_of, restore
from tasks.training.technique import OptimizerName, ScheduleName, Technique
from tests.in_process import Stop, StopAt


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def course_of(toy: ModuleType, epochs: int = 4, **technique: Any) -> Course:
    return replace(toy.toy_course(epochs=epochs), technique=Technique(**technique))


def trained(toy: ModuleType, course: Course, dropout: float = 0.1) -> TrainState:
    state = toy.toy_state(course, dropout)
    train(state, course, toy.toy_material(), Setting(toy.CPU))
    return state


TECHNIQUES = [
    *({"optimizer": name} for name in get_args(OptimizerName)),
    *({"schedule": name} for name in get_args(ScheduleName)),
    {"averaging": "ema"},
    {"averaging": "swa"},
    {"l1": 0.01, "l2": 0.1, "label_smoothing": 0.1},
    {"optimizer": "schedule_free", "warm_up": 0.0},
    {"accumulate": 3, "clip_value": 0.01, "clip_norm": None},
    {"patience": 1},
]


@pytest.mark.parametrize("technique", TECHNIQUES, ids=str)
def test_resumed_is_uninterrupted(toy: ModuleType, technique: dict[str, Any]) -> None:
    course = course_of(toy, **technique)
    whole, stop = trained(toy, course), StopAt(8)
    with pytest.raises(Stop):
        train(toy.toy_state(course), course, toy.toy_material(), Setting(toy.CPU, observer=stop))
    resumed = toy.toy_state(course)
    restore(resumed, stop.checkpoint)
    train(resumed, course, toy.toy_material(), Setting(toy.CPU))
    assert resumed.step == whole.step
    assert resumed.best_score == whole.best_score
    for name, weight in whole.best_weights.items():
        assert torch.equal(weight, resumed.best_weights[name]), name


def test_parts_of_a_batch_add_up_to_it(toy: ModuleType) -> None:
    one = trained(toy, course_of(toy), dropout=0.0).trained_weights()
    four = trained(toy, course_of(toy, accumulate=4), dropout=0.0).trained_weights()
    for name, weight in one.items():
        assert torch.allclose(weight, four[name], atol=2e-5), name


def test_backtracking_returns_to_the_best_weights(toy: ModuleType) -> None:
    course = replace(course_of(toy, epochs=6, schedule="backtracking"), lr=0.5)
    state = trained(toy, course)
    worse = state.epochs_done - state.best_epoch
    assert worse > 0, "a rate of 0.5 never gets better"
    assert state.rate_factor < 1
    for name, weight in state.trained_weights().items():
        assert torch.equal(weight, state.best_weights[name]), name


def test_plateau_halves_the_rate_for_each_epoch_that_is_no_better(toy: ModuleType) -> None:
    state = trained(toy, replace(course_of(toy, epochs=6, schedule="plateau"), lr=0.5))
    assert state.rate_factor in {0.5**n for n in range(1, 6)}


@pytest.mark.parametrize("technique", [{}, {"plateau_factor": 0.3}], ids=str)
def test_plateau_is_torchs_own_without_patience(
    toy: ModuleType, technique: dict[str, float]
) -> None:
    course = replace(course_of(toy, epochs=12, schedule="plateau", **technique), lr=0.03)
    ends = [point for point in trained(toy, course).history if "valid/macro_f1" in point]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.03)
    factor = technique.get("plateau_factor", 0.5)
    scheduler = ReduceLROnPlateau(optimizer, "max", factor=factor, patience=0, threshold=0.0)
    expected = []
    for point in ends:
        expected.append(optimizer.param_groups[0]["lr"])
        scheduler.step(point["valid/macro_f1"])
    assert [point["lr"] for point in ends] == pytest.approx(expected, rel=1e-6)
    assert 2 < len(set(expected)) < 12, "some epochs are better, and some are not"


def test_schedule_free_answers_with_its_average(toy: ModuleType) -> None:
    course = course_of(toy, epochs=20, optimizer="schedule_free", warm_up=0.2)
    state = trained(toy, replace(course, lr=2e-2))
    assert state.best_score > 0.6
    assert state.best_step == state.step or state.best_epoch < 20
    differing = [n for n, w in state.trained_weights().items() if (w != state.averaged[n]).any()]
    assert "head.weight" in differing


@pytest.mark.parametrize(
    ("field", "value", "only"),
    [("schedule", "one_cycle", "constant"), ("averaging", "ema", "none")],
)
def test_schedule_free_has_its_own_schedule_and_average(field: str, value: str, only: str) -> None:
    message = f"{field} {value}: optimizer schedule_free has its own; leave it out, or say {only}"
    with pytest.raises(ValidationError, match=message):
        Technique(optimizer="schedule_free", **{field: value})
    usual = Lenet(optimizer="schedule_free")  # whose averaging is ema otherwise
    assert (usual.schedule, usual.averaging, usual.decay) == ("constant", "none", 0.01)


def test_patience_ends_a_training(toy: ModuleType) -> None:
    state = trained(toy, replace(course_of(toy, epochs=40, patience=2), lr=1e-9))
    assert state.epochs_done == state.best_epoch + 2 < 40


def test_a_training_that_explodes_says_so(toy: ModuleType) -> None:
    course = replace(course_of(toy, epochs=20, optimizer="sgd", clip_norm=None), lr=1e30)
    with pytest.raises(Diverged, match=r"step \d+, optimizer sgd, lr 1e\+30: the gradient is not"):
        trained(toy, course)


def test_a_gradient_that_vanishes_is_said_after_a_while() -> None:
    steps = 0
    for _ in range(49):
        steps = check_norm(1e-12, steps, "here")
    with pytest.raises(Diverged, match="has vanished for 50 steps"):
        check_norm(1e-12, steps, "here")
    assert check_norm(1.0, 49, "here") == 0


def test_a_training_that_stops_names_the_worst_layer(toy: ModuleType) -> None:
    state = toy.toy_state(course_of(toy))
    with torch.no_grad():
        state.model.head.bias.fill_(torch.nan)
    with pytest.raises(Diverged, match=r"any more \(worst in \S+: 100% of its entries\); a lower"):
        train(state, course_of(toy), toy.toy_material(), Setting(toy.CPU))
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[0].weight.grad, model[1].weight.grad = torch.full((2, 2), 1e-12), torch.zeros(2, 2)
    assert worst_layer(model, 1e-12) == "least in 1: 0.0e+00"
    model[1].weight.grad[0, 0] = torch.inf
    assert worst_layer(model, torch.inf) == "worst in 1: 25% of its entries"


def test_the_curve_has_a_health_record_of_each_layer(toy: ModuleType) -> None:
    points = trained(toy, course_of(toy)).history
    shares = {"gradient/zero_share", "gradient/nonfinite_share"}
    assert {"gradient/norm", *shares} <= points[0].keys()
    layers = {name for name in points[0] if name.startswith("gradient/layer/")}
    assert {"gradient/layer/layers.0", "gradient/layer/head"} <= layers
    squares = [points[0][name] ** 2 for name in layers]
    assert sum(squares) == pytest.approx(points[0]["gradient/norm"] ** 2), "before it is clipped"


def test_every_layer_of_a_deep_network_has_its_own_health() -> None:
    shape = {"vocab_size": 30, "layers": 3, "width": 16, "heads": 2, "feed_forward": 32}
    model = build_model("causal_transformer", shape)
    model(torch.arange(8).view(2, 4)).square().sum().backward()
    model.layers[1].expand.weight.grad[:] = 0.0
    found = health_of(model)
    assert [name for name in found if "layers" in name] == [
        f"gradient/layer/layers.{i}" for i in range(3)
    ]
    own = [weight.grad.norm() for weight in model.layers[2].parameters()]
    assert found["gradient/layer/layers.2"] == pytest.approx(
        float(torch.stack(own).norm()), rel=1e-5
    )
    zeros = sum(int((weight.grad == 0).sum()) for weight in model.parameters())
    entries = sum(weight.numel() for weight in model.parameters())
    assert found["gradient/zero_share"] == pytest.approx(zeros / entries)


def test_a_layer_called_norm_leaves_the_norm_of_all_alone(toy: ModuleType) -> None:
    shape = {"vocab_size": 30, "layers": 1, "width": 16, "heads": 2, "feed_forward": 32}
    model, course = build_model("causal_transformer", shape), course_of(toy)
    state = toy.new_state(model, course, toy.CPU)
    model(torch.arange(8).view(2, 4)).square().sum().backward()
    own, all_of_it = (norm_of(list(part.parameters())) for part in (model.norm, model))
    move(state, course, is_recorded=True)
    assert state.health["gradient/layer/norm"] == pytest.approx(float(own), rel=1e-5)
    assert state.health["gradient/norm"] == pytest.approx(float(all_of_it), rel=1e-5)


def clipped(weights: list[nn.Parameter], technique: Technique) -> float:
    norm = norm_of(weights)
    clip(weights, norm, technique)
    return float(norm)


def test_clipping_by_norm_and_by_value() -> None:
    weight = nn.Parameter(torch.zeros(4))
    weight.grad = torch.tensor([3.0, 4.0, 0.0, 0.0])
    assert clipped([weight], Technique(clip_norm=1.0)) == pytest.approx(5)
    assert weight.grad.norm() == pytest.approx(1, abs=1e-4)
    weight.grad = torch.tensor([3.0, -4.0, 0.1, 0.0])
    clipped([weight], Technique(clip_norm=None, clip_value=0.5))
    assert weight.grad.tolist() == pytest.approx([0.5, -0.5, 0.1, 0.0])


def test_a_gradient_that_is_short_enough_stays_bit_by_bit() -> None:
    weight = nn.Parameter(torch.zeros(4))
    weight.grad = torch.tensor([0.1, 0.7, -0.3, 1e-9])
    before = weight.grad.clone()
    assert clipped([weight], Technique(clip_norm=1.0)) == pytest.approx(float(before.norm()))
    assert torch.equal(weight.grad, before)


@pytest.mark.parametrize("scale", [0.5, 0.999, 0.99999, 1.0, 1.0000001, 1.2, 30.0])
def test_clipping_is_torchs_own(scale: float) -> None:
    ours, theirs = nn.Parameter(torch.zeros(100)), nn.Parameter(torch.zeros(100))
    torch.manual_seed(0)
    gradient = torch.randn(100)
    gradient *= scale / gradient.norm()
    ours.grad, theirs.grad = gradient.clone(), gradient.clone()
    norm = clipped([ours], Technique(clip_norm=1.0))
    assert norm == float(nn.utils.clip_grad_norm_([theirs], 1.0))
    assert torch.equal(ours.grad, theirs.grad)


def test_a_steps_draws_are_those_of_torchs_own_seed() -> None:
    seed_step(7, 12, 1)
    ours = torch.rand(3)
    torch.manual_seed((8 * 1_000_003 + 12) * 1024 + 1)
    assert torch.equal(ours, torch.rand(3))


def test_penalties_are_gradients_of_norms_of_matrices() -> None:
    matrix, vector = nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(3))
    matrix.grad, vector.grad = torch.zeros(3, 2), torch.zeros(3)
    penalise([matrix, vector], Technique(l1=0.3, l2=0.7))
    penalty = 0.3 * matrix.abs().sum() + 0.7 * 0.5 * (matrix**2).sum()
    assert torch.allclose(matrix.grad, torch.autograd.grad(penalty, matrix)[0])
    assert not vector.grad.any()


def test_health_counts_dead_entries() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False))
    model[0].weight.grad = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    shares = {"gradient/zero_share": 0.5, "gradient/nonfinite_share": 0.0}
    assert health_of(model) == pytest.approx({"gradient/layer/0": 5.0, **shares})
    model[0].weight.grad[1, 1] = torch.nan
    shares = {"gradient/zero_share": 0.25, "gradient/nonfinite_share": 0.25}
    assert health_of(model) == pytest.approx(shares), "a norm that is not finite is no figure"


def test_label_smoothing_is_cross_entropy_with_softened_labels() -> None:
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    target = 0.8 * functional.one_hot(labels, 3) + 0.2 / 3
    expected = -(target * logits.log_softmax(1)).sum(1)
    assert torch.allclose(LabelLoss(smoothing=0.2)(logits, labels, None), expected, atol=1e-6)


def test_the_loss_of_numbers_listens_to_both() -> None:
    logits, labels, teacher = torch.randn(5, 1), torch.randn(5), torch.randn(5, 1)
    expected = 0.25 * (logits - teacher)[:, 0] ** 2 + 0.75 * (logits[:, 0] - labels) ** 2
    assert torch.allclose(NumberLoss(weight=0.25)(logits, labels, teacher), expected)
    assert torch.allclose(NumberLoss()(logits, labels, None), (logits[:, 0] - labels) ** 2)


def test_an_average_of_later_epochs_is_their_mean() -> None:
    averaged: dict[str, torch.Tensor] = {}
    for epoch in range(6):
        join(averaged, {"w": torch.tensor([float(epoch)])}, epoch, epochs=6)
        assert bool(averaged) == (epoch >= 3), "a model answers by itself until then"
    assert averaged["w"].item() == pytest.approx((3 + 4 + 5) / 3)


def test_before_there_is_a_mean_each_epoch_is_scored_as_it_is(toy: ModuleType) -> None:
    plain, mean = (trained(toy, course_of(toy, averaging=name)) for name in ("none", "swa"))
    losses = [[p["valid/loss"] for p in s.history if "valid/loss" in p] for s in (plain, mean)]
    assert losses[0][:3] == losses[1][:3], "of four epochs, the third is the mean's first"
    assert losses[0][3] != losses[1][3]


def test_an_exponential_average_follows_slower_and_slower() -> None:
    averaged: dict[str, torch.Tensor] = {}
    follow(averaged, {"w": torch.tensor([1.0]), "n": torch.tensor(1)}, 1)
    follow(averaged, {"w": torch.tensor([2.0]), "n": torch.tensor(2)}, 2)
    assert averaged["w"].item() == pytest.approx(1 + (1 - 3 / 12))
    assert averaged["n"].item() == 2
    for step in range(3, 40):
        follow(averaged, {"w": torch.tensor([float(step)])}, step, decay=0.0)
    assert averaged["w"].item() == 39, "nothing of the average is left by a decay of 0"


def test_the_decay_of_an_average_is_a_setting(toy: ModuleType) -> None:
    state = trained(toy, course_of(toy, averaging="ema", ema_decay=0.0))
    assert all(torch.equal(w, state.averaged[n]) for n, w in state.trained_weights().items())


def test_running_statistics_are_trained_weights(toy: ModuleType) -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    state = toy.new_state(model, toy.toy_course(), toy.CPU)
    model(torch.randn(8, 2))
    assert {"1.running_mean", "1.running_var"} <= state.trained_weights().keys()
    other = toy.new_state(
        nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), toy.toy_course(), toy.CPU
    )
    restore(other, checkpoint_of(state))
    assert torch.equal(other.model[1].running_mean, model[1].running_mean)


@pytest.mark.parametrize(
    ("points_apart", "steps"),
    [(1, [0, 10, 20]), (9, [0, 10, 20]), (12, [11, 23]), (40, [])],
    ids=["every step", "few", "as often as points", "longer than the training"],
)
def test_gradients_are_looked_at_no_more_often_than_needed(
    points_apart: int, steps: list[int]
) -> None:
    assert [step for step in range(25) if is_looked_at(step, points_apart)] == steps
