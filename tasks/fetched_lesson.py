"""What the teachers said, brought here for a student's training."""

from typing import Any

from infra.storage import open_storage
from tasks.artifacts import DatasetRef, TeacherOutputs, Unlabelled
from tasks.compression.distil_config import DistilConfig
from tasks.data.unlabelled import read_unlabelled
from tasks.packaging.answers import load_answers
from tasks.training.blueprint import Blueprint
from tasks.training.model_folder import trained_blueprint
from tasks.training.recipes import Lesson

Taught = tuple[DistilConfig, TeacherOutputs]
"""How a model is taught, and what its teachers said."""


def identity_of(taught: Taught | None) -> tuple[DistilConfig | None, str | None]:
    """Return what decides a lesson, for the name of a training."""
    return (taught[0], taught[1].identity) if taught else (None, None)


def fetched_lesson(taught: Taught | None, dataset: DatasetRef) -> Lesson | None:
    """Return the answers to all rows, with those rows that have no label; None: nobody teaches."""
    if taught is None:
        return None
    distil, outputs = taught
    answers = load_answers(open_storage().fetch_folder(outputs.uri))
    rows = fetched_rows(outputs.unlabelled, dataset)
    return Lesson(distil, answers, rows, fetched_teachers(distil, outputs), outputs.shares)


def fetched_teachers(distil: DistilConfig, outputs: TeacherOutputs) -> tuple[Blueprint, ...]:
    """Return the teachers where they read along."""
    uris = outputs.teacher_uris if distil.has_token_hints else ()
    return tuple(trained_blueprint(open_storage().fetch_folder(uri)) for uri in uris)


def fetched_rows(unlabelled: Unlabelled | None, dataset: DatasetRef) -> dict[str, Any]:
    """Return the columns of rows without labels; none where there are none."""
    if unlabelled is None:
        return {}
    return read_unlabelled(open_storage().fetch_folder(unlabelled.uri), dataset)
