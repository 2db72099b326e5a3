"""Train the winner of a sweep by new seeds, beside the settings that the project has."""

from infra import tracking
from infra.cluster import connect
from infra.trial_runs import STOP, StopTag
from tasks.artifacts import RunRef
from tasks.promotion.records import digest_of
from tasks.search_settings import code, subject_identity, trial_store, workbench_of
from tasks.step import step
from tasks.sweep.confirming import confirmed
from tasks.sweep.space import Values
from tasks.sweep.target import Subject
from tasks.sweep_artifacts import STOPPED, Confirmed, Question, Stopped


# Whoever stops a sweep stops this, too: an error, for an answer would be kept.
@step(ignore=("subject", "run"), key=subject_identity)
def confirm_settings(
    subject: Subject, winner: Values, seeds: int, about: Question, run: RunRef
) -> Confirmed:
    """Return what both are worth, and whether to believe the gain.

    Raises `Stopped` when somebody tags the run.
    """
    connect()
    tag = StopTag(run.run_id)
    # What an unfinished confirmation left is of its rows, for which a search may last.
    store = trial_store(digest_of("confirm", subject.identity, *subject.learns_from, code()))

    def check() -> None:
        if tag.is_set():
            # Taken away: the search may be reused, and its winner confirmed another time.
            tracking.set_tags(run.run_id, {STOP: "false"})
            raise Stopped(STOPPED)

    return confirmed(workbench_of(subject, store), winner, seeds, about, check)
