"""A trial that lasts goes on from where it was saved; a short one leaves nothing behind."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import ray
import torch

from tasks.costs.meter import Used
from tasks.sweep.benches import Actors
from tasks.sweep.passes import CutShort, Deadline, passes
from tasks.sweep.runners import Runner
from tasks.sweep.saving import Saving
from tasks.training.job import TrainingJob, material_of

PASSES = 5


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def job(mlp_job: TrainingJob) -> TrainingJob:
    torch.set_num_threads(1)
    return replace(mlp_job, course=replace(mlp_job.course, epochs=PASSES))


class OneJob:
    """A workbench on which every trial is the same."""

    def __init__(self, job: TrainingJob) -> None:
        self._job = job
        self.materials = self

    def upcoming(self, values: Any) -> TrainingJob:
        del values
        return self._job

    job = upcoming

    def find(self, job: TrainingJob) -> None:
        del job


def some_passes(job: TrainingJob, saving: Saving, count: int) -> list[float]:
    saved = saving.trial(0)
    scores = passes(job, material_of(job), saved.deadline, saved.newest)
    found = [next(scores) for _ in range(count)]
    saved._keeper.finish()  # as far as it came
    return found


def test_passes_before_a_kill_cost_nothing_after_it(job: TrainingJob, saving: Saving) -> None:
    whole = list(passes(job, material_of(job), Deadline()))
    assert some_passes(job, saving, 3) == whole[:3]
    again = saving.trial(0)
    assert again.newest is not None
    again.deadline.at = 0.0  # no step can be taken any more
    scores = passes(job, material_of(job), again.deadline, again.newest)
    saved = int(again.newest.facts["epochs_done"])
    found: list[float] = []
    with pytest.raises(CutShort):
        found.extend(scores)  # what comes before the error is kept
    # One more where it was saved between the last step of a pass and its score.
    assert saved <= len(found) <= saved + 1
    assert found == whole[: len(found)]
    assert some_passes(job, saving, PASSES) == whole


def test_nothing_is_left_of_a_trial_that_is_over(job: TrainingJob, saving: Saving) -> None:
    some_passes(job, saving, 2)
    assert saving.of(0).latest() is not None
    saving.trial(0).forget()
    assert saving.of(0).latest() is None
    assert saving.of(1).latest() is None
    saving.trial(1).forget()  # which never had anything


def test_a_short_trial_is_not_saved(job: TrainingJob, saving: Saving) -> None:
    some_passes(job, replace(saving, seconds=60.0), PASSES)
    assert saving.of(0).latest() is None


def going(job: TrainingJob, saving: Saving) -> Actors:
    """A place for one trial, which has begun."""
    bench: Any = OneJob(job)
    actors = Actors(bench, 1, saving=saving)
    actors.begin(0, {})
    return actors


def reported(runner: Runner, count: int, seconds: float = 60.0) -> list[float]:
    found: list[float] = []
    while len(found) < count:
        report = runner.wait(seconds)
        if report is not None and report.score is not None:
            found.append(report.score)
    return found


def test_a_killed_sweep_s_trial_goes_on_in_another_process(
    job: TrainingJob, saving: Saving, cluster: None
) -> None:
    del cluster
    killed = going(job, saving)
    first = reported(killed, 3)
    killed.close()
    # It is killed behind our back: for a moment it goes on, and drops what is read here.
    assert any(saving.of(0).latest() or time.sleep(0.1) for _ in range(50))
    after = going(job, saving)
    whole = list(passes(job, material_of(job), Deadline()))
    assert first == whole[:3]
    assert reported(after, PASSES) == whole
    after.end(0)
    after.close()
    assert saving.of(0).latest() is None


def test_a_process_that_died_is_replaced_where_it_stood(
    job: TrainingJob, saving: Saving, cluster: None
) -> None:
    del cluster
    actors = going(job, saving)
    first = reported(actors, 2)
    before = actors._busy[0].used
    assert actors.under_way == Used(), "no pass is under way"
    ray.kill(actors._busy[0].bench)
    assert first + reported(actors, PASSES - 2) == list(passes(job, material_of(job), Deadline()))
    lost = actors._busy[0].before
    assert lost.cpu >= before.cpu > 0, "what the first process used stays the trial's cost"
    assert actors._busy[0].used.cpu > lost.cpu
    actors.close()
