"""Where a training leaves its checkpoints, and takes itself up again."""

from infra.storage import arrow_filesystem, open_storage
from tasks.step import runs_anew
from tasks.training.checkpoint import CheckpointStore


def checkpoints_at(name: str) -> CheckpointStore:
    """Return the checkpoints of this name; none are left when the step was asked to run anew."""
    store = CheckpointStore(arrow_filesystem(), f"{open_storage().bucket}/checkpoints/{name}")
    if runs_anew():
        store.forget()
    return store
