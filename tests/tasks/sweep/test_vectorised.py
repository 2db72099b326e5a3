"""Trained together = trained one by one, member by member, on real digits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tasks.sweep.crew import Crew
from tasks.sweep.trial import trial
from tasks.sweep.vectorised import train_together
from tasks.training.blueprint import first_model
from tasks.training.course import Point, Setting, TrainState, new_state
from tasks.training.gradients import Diverged
from tasks.training.image_architectures import ImageAugmentConfig
from tasks.training.image_augment import ImageAugment
from tasks.training.job import TrainingJob, material_of
from tasks.training.loop import train
from tasks.training.losses import DistilLoss
from tests.in_process import CPU
from tests.tasks.sweep.conftest import changed

SAME = 1e-5
Changes = dict[str, Any]
RATES: list[Changes] = [{"lr": 1e-3}, {"lr": 3e-3, "weight_decay": 0.3}, {"lr": 1e-2, "l2": 1e-2}]
SEEDS: list[Changes] = [
    {"lr": 1e-3, "seed": 1, "dropout": 0.0},
    {"lr": 3e-3, "seed": 2, "smoothing": 0.1, "dropout": 0.2},
    {"lr": 3e-3, "seed": 2, "smoothing": 0.1, "dropout": 0.2, "schedule": "cosine"},
    {"lr": 1e-2, "seed": 3, "smoothing": 0.3, "dropout": 0.5, "clip_norm": None},
]
MOMENTA: list[Changes] = [
    {"lr": 0.1, "optimizer": "sgd", "clip_value": 0.01},
    {"lr": 0.01, "optimizer": "momentum", "weight_decay": 0.1, "clip_norm": 0.5},
    {"lr": 0.01, "optimizer": "nesterov", "l1": 1e-4, "seed": 3},
    {"lr": 0.01, "optimizer": "nesterov", "momentum": 0.5},
    {"lr": 0.01, "optimizer": "momentum", "momentum": 0.0, "schedule": "step", "step_factor": 0.3},
]
UNEVEN: Changes = {"lr": 1e-2, "choose_by": "accuracy", "averaging": "none", "epochs": 12}
EPOCHS: list[Changes] = [  # so many that some are no better, and the schedules react
    {**UNEVEN, "schedule": "plateau"},
    {**UNEVEN, "schedule": "plateau", "plateau_factor": 0.8},
    {**UNEVEN, "schedule": "backtracking", "seed": 5},
]
VARIED: list[Changes] = [
    {"lr": 1e-3, "augment": ImageAugment(ImageAugmentConfig(mixup=0.4), 10), **own}
    for own in ({"seed": 1}, {"seed": 1, "weight_decay": 0.2}, {"seed": 2, "smoothing": 0.0})
]
EXPONENTIAL: Changes = {"averaging": "ema", "ema_decay": 0.5}
FOLLOWED: list[Changes] = [{"lr": 1e-2, **EXPONENTIAL}, {"lr": 1e-3, **EXPONENTIAL}]
AVERAGED: list[Changes] = [{"lr": 1e-2, "averaging": "swa"}, {"lr": 1e-3, "averaging": "swa"}]


def alone(job: TrainingJob) -> TrainState:
    """The separate training."""
    state = new_state(first_model(job.blueprint, job.course.seed), job.course, CPU)
    train(state, job.course, material_of(job), Setting(CPU))
    return state


def epoch_ends(history: Sequence[Point]) -> list[Point]:
    return [point for point in history if "valid/loss" in point]


def difference(found: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor]) -> float:
    """Median over all weights."""
    apart = [(found[name] - expected[name]).abs().flatten() for name in expected]
    return float(torch.cat(apart).median())


@pytest.mark.parametrize(
    ("network", "members"),
    [
        ("mlp_job", RATES),
        ("mlp_job", SEEDS),
        ("mlp_job", MOMENTA),
        ("mlp_job", EPOCHS),
        ("mlp_job", AVERAGED),
        ("mlp_job", FOLLOWED),
        ("lenet_job", RATES),
        ("lenet_job", SEEDS),
        ("lenet_job", MOMENTA),
        ("lenet_job", AVERAGED),
        ("lenet_job", VARIED),
    ],
    ids=[
        "mlp-rates", "mlp-seeds", "mlp-momenta", "mlp-epochs", "mlp-averaged",
        "mlp-followed",
        "lenet-rates", "lenet-seeds", "lenet-momenta", "lenet-averaged",
        "lenet-varied",
    ],
)  # fmt: skip
def test_together_is_one_by_one(
    network: str, members: list[Changes], request: pytest.FixtureRequest
) -> None:
    job: TrainingJob = request.getfixturevalue(network)
    jobs = [changed(job, **{"epochs": 4, **member}) for member in members]
    crew = Crew(jobs)
    for _ in range(jobs[0].course.epochs):
        crew.run_epoch()
        crew.end_epoch()
    if members is EPOCHS:
        assert max(member.rate_factor for member in crew.members) < 1
    for index, each in enumerate(jobs):
        state = alone(each)
        weights = {n: weight.detach() for n, weight in state.model.named_parameters()}
        assert difference(crew.weights_of(index), weights) < SAME
        member = crew.members[index]
        assert member.best_score == pytest.approx(state.best_score, abs=SAME)
        assert member.best_epoch == state.best_epoch
        for found, expected in zip(member.history, epoch_ends(state.history), strict=True):
            assert found["lr"] == pytest.approx(expected["lr"], rel=1e-9)
            same = found.keys() - {"time_ms", "train/loss"}
            assert {n: found[n] for n in same} == pytest.approx(
                {n: expected[n] for n in same}, abs=SAME
            )


def test_the_training_loss_is_that_of_the_epoch(mlp_job: TrainingJob) -> None:
    one_point = changed(mlp_job, epochs=60)  # as many points as epochs: windows are the same
    (member,) = train_together([one_point], all_of)
    state = alone(one_point)
    found = [point["train/loss"] for point in member.history]
    expected = [point["train/loss"] for point in epoch_ends(state.history)]
    assert np.median(np.abs(np.subtract(found, expected))) < SAME


def all_of(epoch: int, scores: Mapping[int, float]) -> Collection[int]:
    return scores


def test_members_that_go_on_do_not_notice_those_that_are_dropped(mlp_job: TrainingJob) -> None:
    jobs = [changed(mlp_job, epochs=4, **member) for member in [*SEEDS, *RATES]]
    heard: list[tuple[int, ...]] = []

    def best_half(epoch: int, scores: Mapping[int, float]) -> Collection[int]:
        heard.append(tuple(scores))
        ranked = sorted(scores, key=lambda index: -scores[index])
        return ranked[: max(1, len(ranked) // 2)]

    members = train_together(jobs, best_half)
    assert [len(live) for live in heard] == [7, 3, 1, 1]
    assert sorted(len(member.scores) for member in members) == [1, 1, 1, 1, 2, 2, 4]
    for job, member in zip(jobs, members, strict=True):
        scores = [-point["valid/loss"] for point in epoch_ends(alone(job).history)]
        assert member.scores == pytest.approx(scores[: len(member.scores)], abs=SAME)


def test_the_best_score_is_the_trial_s(mlp_job: TrainingJob) -> None:
    rates = [1e-3, 1e-2]
    members = train_together([changed(mlp_job, lr=rate) for rate in rates], all_of)
    assert [member.best_score for member in members] == pytest.approx(
        [trial(mlp_job, rate, "one_cycle") for rate in rates], abs=SAME
    )


def test_a_distillation_with_weighted_rows(mlp_job: TrainingJob) -> None:
    random, count = np.random.default_rng(0), len(mlp_job.train)
    taught = replace(
        mlp_job.train,
        teacher=random.normal(size=(count, 10)).astype(np.float32),
        weights=random.uniform(0.5, 2.0, count),
    )
    jobs = [
        changed(
            replace(mlp_job, train=taught),
            loss=DistilLoss(temperature=hotness, weight=weight, smoothing=0.1),
            seed=seed,
        )
        for hotness, weight, seed in ((1.0, 0.3, 1), (4.0, 0.9, 2))
    ]
    for job, member in zip(jobs, train_together(jobs, all_of), strict=True):
        assert member.best_score == pytest.approx(alone(job).best_score, abs=SAME)


def test_patience_ends_a_member_alone(mlp_job: TrainingJob) -> None:
    members = [{"lr": 1e-7, "schedule": "constant"}, {"lr": 3e-3}]
    jobs = [
        changed(mlp_job, epochs=5, patience=2, choose_by="accuracy", **each) for each in members
    ]
    for job, member in zip(jobs, train_together(jobs, all_of), strict=True):
        state = alone(job)
        assert len(member.scores) == state.epochs_done
        assert member.best_epoch == state.best_epoch


def test_a_member_that_falls_apart_says_so_and_harms_nobody(mlp_job: TrainingJob) -> None:
    well = changed(mlp_job, optimizer="momentum", lr=1e-2)
    wild = changed(mlp_job, optimizer="momentum", lr=1e30, clip_norm=None)
    heard: list[set[int]] = []

    def listen(epoch: int, scores: Mapping[int, float]) -> Collection[int]:
        heard.append(set(scores))
        return scores

    found, fallen = train_together([well, wild], listen)
    assert fallen.trouble.startswith("step ")
    assert "optimizer momentum, lr 1e+30: the gradient is not finite any more" in fallen.trouble
    with pytest.raises(Diverged) as caught:
        alone(wild)
    assert fallen.trouble == str(caught.value), "the same step, the same worst layer"
    assert fallen.scores == []
    assert heard[0] == {0}
    assert found.trouble == ""
    assert found.best_score == pytest.approx(alone(well).best_score, abs=SAME)
