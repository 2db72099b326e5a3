"""What becomes of a trial within a pass."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from tasks.sweep.passes import Deadline, passes
from tasks.sweep.runners import Report, Running
from tasks.training.job import TrainingJob, material_of


def ended(mlp_job: TrainingJob, loss: Callable[..., Any]) -> Report:
    """What the first pass comes to, in which the loss is this."""
    given: Any = {"loss": loss}
    job = replace(mlp_job, course=replace(mlp_job.course, **given))
    deadline = Deadline()
    return Running(passes(job, material_of(job), deadline), deadline).go_on(7, 60.0)


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError, ValueError])
def test_a_trial_that_does_not_fit_fails_alone(
    mlp_job: TrainingJob, error: type[Exception]
) -> None:
    def loss(*_: object) -> None:
        raise error("batch_size 4096 takes more than there is")

    report = ended(mlp_job, loss)
    assert (report.number, report.score) == (7, None)
    assert report.trouble == "batch_size 4096 takes more than there is"


def test_so_does_one_that_torch_has_no_main_memory_for(mlp_job: TrainingJob) -> None:
    report = ended(mlp_job, lambda *_: torch.empty(1 << 50))
    assert report.score is None
    assert "you tried to allocate" in report.trouble


def test_what_is_wrong_with_the_sweep_ends_it(mlp_job: TrainingJob) -> None:
    def loss(*_: object) -> None:
        raise RuntimeError("no kernel for this")

    with pytest.raises(RuntimeError, match="no kernel for this"):
        ended(mlp_job, loss)
