"""A short training: what does it come to on the validation sample?"""

from dataclasses import replace

from tasks.training.course import Material, Setting
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.gradients import Diverged
from tasks.training.job import TrainingJob, material_of, state_for
from tasks.training.loop import train
from tasks.training.technique import ScheduleName

FAILED = -1e9
"""Worse than any score."""


def trial(job: TrainingJob, lr: float, schedule: ScheduleName) -> float:
    """Best validation score of the job's course at this rate; FAILED of one that fell apart."""
    technique = job.course.technique.model_copy(update={"schedule": schedule})
    job = replace(job, course=replace(job.course, lr=lr, technique=technique))
    return best_score(job, material_of(job))


def best_score(job: TrainingJob, material: Material) -> float:
    """Best validation score of the job's course; FAILED of one that fell apart."""
    use_allotted_threads()
    device = choose_device(job.compute)
    state = state_for(job, device, material)
    try:
        train(state, job.course, material, Setting(device))
    except Diverged:
        return FAILED
    return max(state.best_score, FAILED)
