"""A training that is killed and taken up again, beside one that nobody disturbed."""

import pytest

from tasks.training.course import Setting, TrainState
from tasks.training.job import TrainingJob, first_state, material_of
from tasks.training.loop import train
from tasks.training.resume import restore
from tests.in_process import CPU, Stop, StopAt


def undisturbed_and_resumed(job: TrainingJob, step: int) -> tuple[TrainState, TrainState]:
    """The ends of both; the second was killed after `step` steps."""
    whole, stop = first_state(job, CPU), StopAt(step)
    train(whole, job.course, material_of(job), Setting(CPU))
    with pytest.raises(Stop):
        train(first_state(job, CPU), job.course, material_of(job), Setting(CPU, observer=stop))
    resumed = first_state(job, CPU)
    assert stop.checkpoint is not None
    restore(resumed, stop.checkpoint)
    train(resumed, job.course, material_of(job), Setting(CPU))
    return whole, resumed
