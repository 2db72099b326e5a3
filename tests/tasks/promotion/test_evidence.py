from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.artifacts import DatasetRef, EvalReport
from tasks.packaging.answers import save_answers
from tasks.promotion.evidence import read_evidence

Make = Callable[..., EvalReport]
DATASET = DatasetRef(
    name="d",
    uri="s3://b/d/",
    sha256="1",
    source_sha256="2",
    kind="text",
    inputs=("text",),
    target="y",
    classes=("no", "yes"),
    rows={"train": 1, "valid": 1, "test": 3},
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = {
        "text": ["a", "b", "c"],
        "y": ["no", "yes", "yes"],
        "row_id": [0, 1, 2],
        "group": [0, 1, 2],
    }
    pq.write_table(pa.table(rows), tmp_path / "test.parquet")
    return tmp_path


def answered(folder: Path, name: str, probabilities: list[list[float]]) -> Path:
    made = folder / name
    made.mkdir()
    tensor = np.array(probabilities, dtype=np.float32)
    save_answers(made, tensor)
    return made


def test_evidence_is_found_by_bundle(report: Make, data: Path, tmp_path: Path) -> None:
    new, base = report("new", split="test"), report("base", split="test")
    predictions = {
        new.predictions_uri: answered(tmp_path, "n", [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
        base.predictions_uri: answered(tmp_path, "b", [[0.9, 0.1]] * 3),
    }
    bundles = [new.candidate.sha256, base.candidate.sha256]
    evidence = read_evidence(DATASET, data, [base, new], predictions, bundles)
    assert evidence.truth.tolist() == [0, 1, 1]
    assert evidence.candidate.predicted.tolist() == [0, 1, 0]
    assert evidence.baseline.predicted.tolist() == [0, 0, 0]
    assert evidence.champion is None


def test_answers_for_other_rows_are_refused(report: Make, data: Path, tmp_path: Path) -> None:
    new = report("new", split="test")
    predictions = {new.predictions_uri: answered(tmp_path, "n", [[0.9, 0.1]] * 2)}
    with pytest.raises(ValueError, match="new: 2 predictions of split 'test', the holdout has 3"):
        read_evidence(DATASET, data, [new], predictions, [new.candidate.sha256] * 2)


def test_a_bundle_without_a_report_is_named(report: Make, data: Path) -> None:
    with pytest.raises(ValueError, match="bundle abc has no report on the holdout"):
        read_evidence(DATASET, data, [report("new")], {}, ["abc"])
