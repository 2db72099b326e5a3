"""Train the winner of a sweep by new seeds, beside the settings that the project has."""

from infra.cluster import connect
from tasks.search_settings import subject_identity, workbench_of
from tasks.step import step
from tasks.sweep.confirming import confirmed
from tasks.sweep.space import Values
from tasks.sweep.target import Subject
from tasks.sweep_artifacts import Confirmed


@step(ignore=("subject",), key=subject_identity)
def confirm_settings(subject: Subject, winner: Values, seeds: int) -> Confirmed:
    """Return the scores of both, and whether to believe the gain."""
    connect()
    return confirmed(workbench_of(subject), winner, seeds)
