"""The ledger on the real S3: of concurrent promoters one wins, the others read again."""

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from infra.storage import open_storage
from tasks.artifacts import Candidate
from tasks.promotion import moves
from tasks.promotion.ledger import Ledger, Note, StaleDecision, Subject

pytestmark = pytest.mark.stack


@pytest.fixture
def project(stack: Path) -> Iterator[str]:
    made = f"test-ledger-{uuid4().hex[:8]}"
    yield made
    for key in open_storage().keys(f"ledger/{made}/"):
        open_storage().delete(key)


def candidate(name: str) -> Candidate:
    return Candidate(
        name=name,
        role="student",
        parent=None,
        uri="s3://modelworks/bundles/x/",
        sha256=name * 8,
        size_bytes=1,
        params=1,
        model_sha256="m",
    )


def note(id_: str) -> Note:
    return Note(id=id_, actor="ann", reason="because")


def test_promote_rollback_and_read(project: str) -> None:
    ledger = Ledger(open_storage(), project)
    moves.promote(ledger, candidate("a"), 1, note("p1"))
    moves.promote(ledger, candidate("b"), 2, note("p2"))
    moves.rollback(ledger, note("r1"))
    pointer = ledger.pointer()
    assert pointer is not None
    assert (pointer.version, pointer.generation, pointer.entry) == (1, 3, 3)
    assert ledger.chain().faults == ()
    assert ledger.standing().bar_of(candidate("b").sha256) is not None


def test_entries_of_many_writers_are_all_kept(project: str) -> None:
    def write(number: int) -> None:
        subject = Subject(candidate=candidate("c"), version=1)
        Ledger(open_storage(), project).append("decision", subject, note(f"d{number}"))

    run_together(write, 4)
    chain = Ledger(open_storage(), project).chain()
    assert chain.faults == ()
    assert {entry.id for entry in chain.entries} == {f"d{n}" for n in range(4)}


def test_of_concurrent_promotions_one_wins(project: str) -> None:
    """Each was decided against the same champion, so the slower ones must decide again."""
    moves.promote(Ledger(open_storage(), project), candidate("a"), 1, note("p1"))
    lost: list[str] = []

    def promote(number: int) -> None:
        ledger = Ledger(open_storage(), project)
        check = moves.unchanged_since(ledger, 1)
        try:
            subject = Subject(candidate=candidate(f"c{number}"), version=number + 2)
            ledger.append("promote", subject, note(f"c{number}"), check)
        except StaleDecision:
            lost.append(f"c{number}")

    run_together(promote, 4)
    chain = Ledger(open_storage(), project).mended()
    assert chain.generation == 2
    assert len(lost) == 3
    assert chain.entries[-1].id not in lost


def run_together(function: object, many: int) -> None:
    threads = [threading.Thread(target=function, args=(n,)) for n in range(many)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
