"""What keeps trials apart is said in one sentence."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import models.build
from models.mlp import Mlp, MlpConfig
from tasks.sweep.apart import crews_of, why_apart
from tasks.sweep.probe import Timing, timed
from tasks.training.config import ComputeConfig
from tasks.training.image_architectures import ImageAugmentConfig
from tasks.training.image_augment import ImageAugment
from tasks.training.job import TrainingJob
from tasks.training.losses import DistilLoss
from tests.tasks.sweep.conftest import changed


@pytest.mark.parametrize("network", ["mlp_job", "lenet_job"])
def test_what_differs_in_settings_trains_together(
    network: str, request: pytest.FixtureRequest
) -> None:
    job = request.getfixturevalue(network)
    changes: list[dict[str, Any]] = [
        {"lr": 1.0, "weight_decay": 0.5, "optimizer": "adam", "clip_norm": None},
        {"smoothing": 0.3, "dropout": 0.6, "seed": 4, "schedule": "cosine", "l1": 0.1},
    ]
    assert why_apart([job, *(changed(job, **each) for each in changes)]) is None


def test_equal_rows_may_be_read_twice(mlp_job: TrainingJob) -> None:
    again = replace(mlp_job, train=mlp_job.train.take(np.arange(len(mlp_job.train))))
    assert why_apart([mlp_job, again]) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch_size": 16}, "batch_size 16 beside 32: it must be the same in all trials"),
        ({"epochs": 9}, "epochs 9 beside 3: it must be the same in all trials"),
        ({"averaging": "ema"}, "averaging ema beside none: it must be the same in all trials"),
        ({"optimizer": "sgd"}, "optimizer sgd beside adamw: their steps are not alike"),
        ({"accumulate": 2}, "accumulate 2: parts of a batch are one model's at a time"),
        (
            {"loss": DistilLoss(temperature=2.0, weight=0.5)},
            "loss DistilLoss beside LabelLoss: it must be the same in all trials",
        ),
        (
            {"augment": ImageAugment(ImageAugmentConfig(), 10)},
            "augment ImageAugment(config=ImageAugmentConfig(shift=0.1, rotate=10.0, flip=False, "
            "colour=0.0, erase=0.0, mixup=0.0, cutmix=0.0), num_outputs=10) beside None: it must "
            "be the same in all trials",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_other_settings_are_trained_one_by_one(
    mlp_job: TrainingJob, changes: dict[str, Any], sentence: str
) -> None:
    assert why_apart([mlp_job, changed(mlp_job, **changes)]) == sentence


def test_an_exponential_average_is_one_of_all_trials(mlp_job: TrainingJob) -> None:
    own, other = (changed(mlp_job, averaging="ema", ema_decay=decay) for decay in (0.999, 0.9))
    assert (
        why_apart([own, other]) == "ema_decay 0.9 beside 0.999: it must be the same in all trials"
    )
    assert why_apart([mlp_job, changed(mlp_job, ema_decay=0.9)]) is None


def test_an_optimizer_that_is_not_vectorised(mlp_job: TrainingJob) -> None:
    assert why_apart([changed(mlp_job, optimizer="lion")]) == (
        "optimizer lion: trained together are sgd, gradient_descent, momentum, nesterov, adam, "
        "adamw"
    )


def test_another_architecture_is_trained_apart(mlp_job: TrainingJob) -> None:
    config = {**mlp_job.blueprint.config, "hidden": (8,)}
    other = replace(mlp_job, blueprint=replace(mlp_job.blueprint, config=config))
    assert why_apart([mlp_job, other]) == (
        "hidden (8,) beside (32, 16): it must be the same in all trials"
    )


def test_other_rows_and_precisions_are_trained_apart(mlp_job: TrainingJob) -> None:
    fewer = replace(mlp_job, train=mlp_job.train.take(np.arange(100)))
    assert why_apart([mlp_job, fewer]) == "training rows differ between trials"
    half = replace(mlp_job, compute=ComputeConfig(device="auto", precision="float16"))
    assert why_apart([half]) == (
        "compute.precision float16: each model's loss has a scale of its own"
    )


class Normalised(Mlp):
    """With running statistics."""

    def __init__(self, config: MlpConfig) -> None:
        super().__init__(config)
        self.head = nn.Sequential(nn.BatchNorm1d(config.hidden[-1]), self.head)


class Noisy(Mlp):
    """Drops without a module."""

    def forward(self, numbers: Tensor) -> Tensor:  # type: ignore[override]
        return torch.dropout(super().forward(numbers), 0.5, self.training)


class Counting(Mlp):
    """With a step that torch cannot batch."""

    def forward(self, numbers: Tensor) -> Tensor:  # type: ignore[override]
        logits = super().forward(numbers)
        return logits * (1.0 if float(logits.sum()) > 0 else 2.0)


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (Normalised, "batch normalisation keeps running statistics of one model at a time"),
        (Noisy, "the network draws random numbers elsewhere than in its dropouts"),
        (Counting, "family odd cannot be batched: vmap: It looks like you're calling .item()"),
    ],
    ids=["batch-norm", "functional-dropout", "not-batched"],
)
def test_a_network_is_tried_first(
    mlp_job: TrainingJob, monkeypatch: pytest.MonkeyPatch, network: type[nn.Module], sentence: str
) -> None:
    monkeypatch.setitem(models.build.FAMILIES, "odd", (MlpConfig, network))
    odd = replace(mlp_job, blueprint=replace(mlp_job.blueprint, family="odd"))
    assert (why_apart([odd]) or "").startswith(sentence)


def test_jobs_are_sorted_into_crews(mlp_job: TrainingJob) -> None:
    config = {**mlp_job.blueprint.config, "hidden": (8,)}
    narrow = replace(mlp_job, blueprint=replace(mlp_job.blueprint, config=config))
    jobs = [
        mlp_job,
        narrow,
        changed(mlp_job, lr=0.1),
        changed(mlp_job, optimizer="lion"),
        changed(narrow, seed=3, optimizer="adam"),
        changed(mlp_job, optimizer="lion", lr=0.1),
        changed(mlp_job, optimizer="nesterov"),
    ]
    assert crews_of(jobs) == [[0, 2], [1, 4], [3], [5], [6]]


def test_what_is_too_large_together_is_trained_apart(mlp_job: TrainingJob) -> None:
    config = {**mlp_job.blueprint.config, "hidden": (2000, 1000)}
    large = replace(mlp_job, blueprint=replace(mlp_job.blueprint, config=config))
    assert why_apart([large] * 2) is None
    sentence = "48 trials hold 102,480,480 weights, at most 100,000,000 fit together"
    assert why_apart([large] * 48) == sentence
    assert why_apart([large] * 2, 48) == sentence, "a crew of such"


def test_the_probe_times_both_ways(mlp_job: TrainingJob) -> None:
    timing = timed([mlp_job] * 3)
    assert timing.together > 0
    assert timing.apart > 0


def test_the_probe_says_which_is_faster() -> None:
    assert Timing(0.002, 0.01).pays
    assert not Timing(0.01, 0.01).pays  # members that stop leave smaller crews
    assert str(Timing(0.002, 0.01)) == (
        "a step of all trials takes 2.0 ms together and 10.0 ms one by one: together"
    )
