"""Making and reading a range test."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tasks.data.config import DataConfig
from tasks.sweep.range_test import (
    LEAST_STEPS,
    curve_of,
    has_diverged,
    ramp,
    ramp_ends,
    smoothed,
    suggestion_of,
)
from tasks.training.architectures import Mlp
from tasks.training.batches import steps_per_epoch
from tasks.training.job import TrainingJob
from tasks.training.recipes import student_job
from tasks.training.schedule import exponential_lr
from tests.in_process import site_of, snapshot
from tests.tasks.sweep.conftest import changed

ENDS = (1e-6, 1e-2)


def bowl(rate: float) -> float:
    """Falls fastest at 1e-4, lowest at 1e-3, then explodes."""
    place = math.log10(rate)
    fall = -0.5 * math.tanh(2 * (place + 4))
    return 1.0 + fall + max(0.0, place + 3) ** 2


def test_a_ramp_reaches_beyond_what_may_be_chosen() -> None:
    assert ramp_ends((2e-5, 2e-4)) == pytest.approx(ENDS)


def curve(steps: int = 60) -> tuple[tuple[float, float], ...]:
    rates = [exponential_lr(step, steps, *ENDS) for step in range(steps)]
    return tuple((rate, bowl(rate)) for rate in rates)


def test_both_readings_of_a_clean_curve() -> None:
    suggestion = suggestion_of(curve())
    assert suggestion is not None
    assert suggestion.steepest == pytest.approx(1e-4, rel=0.3)
    assert suggestion.tenth == pytest.approx(1e-4, rel=0.5)


def test_what_falls_after_the_network_came_apart_is_not_read() -> None:
    apart = tuple((rate * 2e4, 9.0 - index / 2) for index, (rate, _) in enumerate(curve()[:12]))
    suggestion = suggestion_of((*curve(), *apart))
    assert suggestion is not None
    assert suggestion.steepest == pytest.approx(1e-4, rel=0.3)


def test_a_constant_stays_itself_when_smoothed() -> None:
    assert smoothed([2.0] * 5) == pytest.approx([2.0] * 5)


def test_ramps_are_averaged_up_to_the_first_that_broke_off() -> None:
    points = curve_of([[1.0, 1.0, 1.0, 9.0], [3.0, 3.0, 3.0]], ENDS, total_steps=10)
    assert [loss for _, loss in points] == pytest.approx([2.0, 2.0, 2.0])
    assert points[0][0] == ENDS[0]


def test_a_curve_that_broke_off_at_once_says_nothing() -> None:
    assert suggestion_of(curve()[: LEAST_STEPS - 1]) is None
    assert suggestion_of(curve()[:LEAST_STEPS]) is not None
    assert suggestion_of(curve_of([[], [1.0]], ENDS, total_steps=10)) is None


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([1.0, math.nan], True),
        ([1.0, 2.0, math.inf], True),
        ([1.0] * 12 + [2.0 * 4.0**step for step in range(10)], True),
        ([0.2, 3.6], False),
        ([1.0] * 20 + [30.0], False),
        ([1.0] * 20 + [30.0] * 4 + [1.0, 30.0, 30.0, 30.0], False),
    ],
    ids=["nan", "inf", "exploding", "two batches", "one batch", "some batches"],
)
def test_noise_is_not_divergence(losses: list[float], expected: bool) -> None:
    assert has_diverged(losses) is expected


@pytest.fixture(scope="module")
def skewed_job(tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    """A regression whose target is log-normal: one batch may have 20 times the loss of another."""
    folder = tmp_path_factory.mktemp("skewed")
    rng = np.random.default_rng(7)
    table = pd.DataFrame(rng.normal(size=(600, 4)), columns=list("abcd"))
    table.assign(price=np.exp(rng.normal(size=600))).to_csv(folder / "rows.csv", index=False)
    config = DataConfig(source="rows.csv", kind="table", target="price", task="regression")
    dataset = snapshot(config, folder, folder / "snapshot")
    model = Mlp(name="mlp", hidden=(16,), epochs=1, batch_size=16)
    return student_job(model, None, site_of(folder / "snapshot", dataset))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("batch_size", [16, 32])
def test_a_skewed_target_breaks_no_ramp_off(
    skewed_job: TrainingJob, batch_size: int, seed: int
) -> None:
    """At rates that change nothing the losses are those of the batches."""
    course = replace(skewed_job.course, batch_size=batch_size, seed=seed)
    losses = ramp(replace(skewed_job, course=course), (1e-9, 1e-8))
    assert len(losses) == steps_per_epoch(len(skewed_job.train), batch_size)


def test_a_ramp_that_diverges_is_not_gone_on_with(skewed_job: TrainingJob) -> None:
    job = changed(skewed_job, optimizer="sgd", clip_norm=None)
    losses = ramp(job, (1e-3, 1e4))
    assert len(losses) < steps_per_epoch(len(job.train), job.course.batch_size)
