"""Whether the champion can be asked about tonight's rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

import tasks.find_standing as verb
from tasks.artifacts import Candidate, DatasetRef
from tasks.packaging.bundle import FACTS, BundleFacts
from tasks.promotion import moves
from tasks.promotion.config import GatePolicy, PromoteConfig
from tasks.promotion.entries import Standing
from tasks.promotion.ledger import Ledger, Note
from tasks.promotion.selection import Selection

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
    facts = BundleFacts(encoder={}, classes=("n", "y"), inputs=("carrier", "distance"), target="y")
    (tmp_path / FACTS).write_text(facts.model_dump_json())
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
            target="y",
            classes=("n", "y"),
            rows={},
        )
        return verb.find_standing("tweets", GatePolicy(), PromoteConfig(), SELECTION, dataset)

    return find


def test_without_a_champion_nobody_is_asked(asked: Callable[..., Standing]) -> None:
    assert asked("distance").asked is None
    assert asked("distance").missing == ()


def test_inputs_that_are_left_out_are_named(
    asked: Callable[..., Standing], ledger: Ledger, candidate: Callable[..., Candidate]
) -> None:
    moves.promote(ledger, candidate("old"), 1, Note(id="1", actor="ann", reason=""))
    whole, without = asked("day", "distance", "carrier"), asked("distance")
    assert (whole.asked, whole.missing) == (candidate("old"), ())
    assert (without.asked, without.missing) == (None, ("carrier",))
    assert without.champion == candidate("old")
