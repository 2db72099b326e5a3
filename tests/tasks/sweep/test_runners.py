"""What becomes of a trial within a pass."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tasks.sweep.passes import Deadline
from tasks.sweep.runners import begun
from tasks.training.job import TrainingJob, material_of


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError, ValueError])
def test_a_trial_that_does_not_fit_fails_alone(
    mlp_job: TrainingJob, error: type[Exception]
) -> None:
    def loss(*_: object) -> None:
        raise error("batch_size 4096 takes more than there is")

    given: Any = {"loss": loss}
    job = replace(mlp_job, course=replace(mlp_job.course, **given))
    report = begun(job, lambda: material_of(job), 0, Deadline()).go_on(7, 60.0)
    assert (report.number, report.score) == (7, None)
    assert report.trouble == "batch_size 4096 takes more than there is"
