"""Batch prediction: a file of rows in, the same rows with answers out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.storage import open_storage
from tasks.evaluation.scoring import check_target, score_file


def predict_file(
    bundle_uri: str, source: Path, target: Path, sampling: Mapping[str, Any] | None = None
) -> int:
    """Score `source` with a stored bundle and write `target`; the number of rows.

    `sampling` is for a model that writes texts. Raises ValueError, with nothing written, when
    either file is not what it should be.
    """
    check_target(target)
    return score_file(open_storage().fetch_folder(bundle_uri), source, target, sampling)
