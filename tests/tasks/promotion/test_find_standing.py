"""Whether the champion can be asked about tonight's rows."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tasks.find_standing as verb
from tasks.artifacts import Candidate, DatasetRef
from tasks.packaging.bundle import FACTS, BundleFacts
from tasks.promotion import moves
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Standing
from tasks.promotion.ledger import Ledger, Note
from tasks.promotion.selection import Selection
from tasks.training.table_models import column_tables

SELECTION = Selection(
    name="new",
    sha256="1",
    fits=True,
    baseline_sha256="2",
    baseline_fits=True,
    reason="chosen",
    checks=(),
)


@pytest.fixture
def asked(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Standing]:
    """The standing beside rows with these inputs; every bundle reads carrier and distance."""
    rows = {"carrier": ["A", "B"], "distance": [1.0, 2.0], "day": [3, 4], "far": ["n", "y"]}
    types = {"carrier": "category", "distance": "number"}
    facts = BundleFacts(
        encoder=column_tables(types, rows, {}),
        classes=("n", "y"),
        inputs=tuple(types),
        target="far",
    )
    (tmp_path / FACTS).write_text(facts.model_dump_json())
    for split in ("valid", "test"):
        pq.write_table(pa.table({**rows, "row_id": [0, 1]}), tmp_path / f"{split}.parquet")
    monkeypatch.setattr(ledger.store, "fetch_folder", lambda _: tmp_path, raising=False)
    monkeypatch.setattr(verb, "open_storage", lambda: ledger.store)

    def find(*inputs: str) -> Standing:
        dataset = DatasetRef(
            name="d",
            uri="s3://b/d/",
            sha256="1",
            source_sha256="2",
            kind="table",
            inputs=inputs,
            target="far",
            classes=("n", "y"),
            rows={},
        )
        return verb.find_standing("tweets", GatePolicy(), PromoteConfig(), SELECTION, dataset)

    return find


def test_without_a_champion_nobody_is_asked(asked: Callable[..., Standing]) -> None:
    assert asked("distance").asked is None
    assert asked("distance").unasked == ""


def test_rows_that_the_champion_cannot_read_are_seen_in_any_split(
    asked: Callable[..., Standing],
    ledger: Ledger,
    candidate: Callable[..., Candidate],
    tmp_path: Path,
) -> None:
    moves.promote(ledger, candidate("old"), 1, Note(id="1", actor="ann", reason=""))
    table = pa.table(
        {"carrier": ["A"], "distance": ["near"], "day": [3], "far": ["n"], "row_id": [0]}
    )
    pq.write_table(table, tmp_path / "test.parquet")
    found = asked("day", "distance", "carrier")
    assert found.asked is None
    assert "column 'distance', row 0: 'near' must be a number" in found.unasked


def test_no_more_is_read_than_the_first_part_that_cannot_be(
    asked: Callable[..., Standing],
    ledger: Ledger,
    candidate: Callable[..., Candidate],
    tmp_path: Path,
) -> None:
    moves.promote(ledger, candidate("old"), 1, Note(id="1", actor="ann", reason=""))
    table = pa.table({"carrier": ["A"], "distance": ["near"], "row_id": [0]})
    pq.write_table(table, tmp_path / "valid.parquet")
    (tmp_path / "test.parquet").unlink()
    assert "'near' must be a number" in asked("distance", "carrier").unasked


def test_inputs_that_are_left_out_are_named(
    asked: Callable[..., Standing], ledger: Ledger, candidate: Callable[..., Candidate]
) -> None:
    moves.promote(ledger, candidate("old"), 1, Note(id="1", actor="ann", reason=""))
    whole, without = asked("day", "distance", "carrier"), asked("distance")
    assert (whole.asked, whole.unasked) == (candidate("old"), "")
    assert without.asked is None
    assert without.unasked.startswith("it reads carrier, none of tonight's inputs")
    assert without.champion == candidate("old")
