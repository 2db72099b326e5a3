"""One short training at one rate: what does it come to on the validation sample?"""

from dataclasses import replace

from tasks.training.blueprint import first_model
from tasks.training.course import Setting, new_state
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.gradients import Diverged
from tasks.training.job import TrainingJob, material_of
from tasks.training.loop import train
from tasks.training.technique import ScheduleName

FAILED = -1e9
"""Worse than any score."""


def trial(job: TrainingJob, lr: float, schedule: ScheduleName) -> float:
    """Best validation score of the job's course at this rate; FAILED of one that fell apart."""
    use_allotted_threads()
    device = choose_device(job.compute)
    technique = job.course.technique.model_copy(update={"schedule": schedule})
    course = replace(job.course, lr=lr, technique=technique)
    model = first_model(job.blueprint, course.seed)
    state = new_state(model, course, device, job.blueprint.frozen)
    try:
        train(state, course, material_of(job), Setting(device))
    except Diverged:
        return FAILED
    return max(state.best_score, FAILED)
