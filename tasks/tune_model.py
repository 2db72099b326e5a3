"""Find the teacher's learning rate."""

import logging
from functools import partial

from infra.cluster import connect
from infra.progress import report
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, Tuned
from tasks.step import step
from tasks.sweep.config import SweepConfig
from tasks.sweep.search import given_rate, no_rate, tuned_rate
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.recipes import Site, teacher_job
from tasks.training.sklearn_architecture import SklearnTeacher

log = logging.getLogger(__name__)


@step(about="teacher")
def tune_model(
    teacher: TrainConfig | SklearnTeacher,
    sweep: SweepConfig,
    compute: ComputeConfig,
    dataset: DatasetRef,
) -> Tuned:
    """Return the rate of a range test and a short sweep, or the one that the project gives."""
    if isinstance(teacher, SklearnTeacher):
        log.info("no sweep: %s has no learning rate", teacher.estimator)
        return no_rate(teacher.estimator)
    if teacher.lr != "auto":
        return given_rate(teacher.lr)
    connect()
    local = open_storage().fetch_folder(dataset.uri)
    site = Site(dataset=dataset, dataset_folder=local, compute=compute)
    rates = sweep.rates(teacher.first_lr)
    job = teacher_job(teacher, rates[0], site)
    return tuned_rate(sweep, rates, job, partial(report, "tune_model"))
