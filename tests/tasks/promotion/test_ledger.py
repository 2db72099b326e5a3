import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tasks.artifacts import Candidate
from tasks.promotion.ledger import BrokenLedger, Ledger, Note, Subject

POINTER = "ledger/tweets/pointer.json"
Make = Callable[..., Candidate]


def note(id_: str, **facts: Any) -> Note:
    return Note(id=id_, actor="ann", reason=facts.pop("reason", "why not"), evidence=facts)


def promote(ledger: Ledger, candidate: Candidate, version: int, id_: str) -> Any:
    return ledger.append("promote", Subject(candidate=candidate, version=version), note(id_))


def test_an_empty_ledger_has_no_champion(ledger: Ledger) -> None:
    standing = ledger.standing()
    assert (standing.champion, standing.generation) == (None, 0)
    assert ledger.pointer() is None


def test_a_promotion_moves_the_pointer(ledger: Ledger, candidate: Make) -> None:
    promote(ledger, candidate("a"), 1, "d1")
    pointer = ledger.pointer()
    assert pointer is not None
    assert (pointer.sha256, pointer.version) == (candidate("a").sha256, 1)
    assert (pointer.generation, pointer.entry) == (1, 1)
    assert ledger.standing().champion == candidate("a")


def test_an_entry_that_does_not_move_leaves_the_champion(ledger: Ledger, candidate: Make) -> None:
    promote(ledger, candidate("a"), 1, "d1")
    ledger.append("decision", Subject(candidate=candidate("b"), version=2), note("d2"))
    assert ledger.standing().champion == candidate("a")
    assert ledger.standing().generation == 1


def test_the_same_decision_is_carried_out_once(ledger: Ledger, candidate: Make) -> None:
    first = promote(ledger, candidate("a"), 1, "d1")
    promote(ledger, candidate("b"), 2, "d2")
    again = promote(ledger, candidate("a"), 1, "d1")
    assert again == first
    assert len(ledger.chain().entries) == 2
    assert ledger.standing().champion == candidate("b")


def test_entries_are_chained_by_the_bytes_before_them(ledger: Ledger, candidate: Make) -> None:
    for number in range(3):
        promote(ledger, candidate(f"m{number}"), number, f"d{number}")
    chain = ledger.chain()
    assert chain.faults == ()
    assert [entry.previous is None for entry in chain.entries] == [True, False, False]
    assert len({entry.previous for entry in chain.entries}) == 3


@pytest.mark.parametrize(
    ("meddle", "fault"),
    [
        (lambda o, k: o.pop(k.format(2)), "00000003.json calls itself 3 and stands at place 2"),
        (lambda o, k: o.update({k.format(1): o[k.format(1)].replace(b"ann", b"bob")}), "follow"),
        (lambda o, k: o.update({k.format(2): b"{}"}), "00000002.json cannot be read"),
        (lambda o, k: o.update({k.format(9): o[k.format(3)]}), "stands at place 4"),
    ],
    ids=["removed", "changed", "unreadable", "gap"],
)
def test_meddling_is_seen_and_nothing_is_written_on_top(
    ledger: Ledger, candidate: Make, meddle: Any, fault: str
) -> None:
    for number in range(3):
        promote(ledger, candidate(f"m{number}"), number, f"d{number}")
    meddle(ledger.store.objects, "ledger/tweets/entries/{:08d}.json")  # type: ignore[attr-defined]
    assert fault in " ".join(ledger.chain().faults)
    with pytest.raises(BrokenLedger, match="the ledger of tweets is broken"):
        promote(ledger, candidate("late"), 9, "d9")


def test_a_crash_between_entry_and_pointer_heals(ledger: Ledger, candidate: Make) -> None:
    promote(ledger, candidate("a"), 1, "d1")

    def crash(key: str) -> None:
        if key == POINTER:
            raise KeyboardInterrupt

    ledger.store.before_put = crash  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        promote(ledger, candidate("b"), 2, "d2")
    stale = ledger.pointer()
    assert stale is not None
    assert stale.version == 1
    ledger.store.before_put = len  # type: ignore[attr-defined]
    assert ledger.standing().champion == candidate("b")
    healed = ledger.pointer()
    assert healed is not None
    assert (healed.version, healed.generation) == (2, 2)


def test_a_crash_before_the_entry_changes_nothing(ledger: Ledger, candidate: Make) -> None:
    def crash(key: str) -> None:
        raise KeyboardInterrupt

    ledger.store.before_put = crash  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        promote(ledger, candidate("a"), 1, "d1")
    assert ledger.standing().champion is None


def test_the_pointer_never_goes_back(ledger: Ledger, candidate: Make) -> None:
    """A slow writer that comes to the pointer last does not undo a faster one."""
    first = promote(ledger, candidate("a"), 1, "d1")
    promote(ledger, candidate("b"), 2, "d2")
    ledger._follow(first.champion)
    pointer = ledger.pointer()
    assert pointer is not None
    assert pointer.version == 2


def test_many_writers_lose_nothing(ledger: Ledger, candidate: Make) -> None:
    def write(number: int) -> None:
        promote(ledger, candidate(f"m{number}"), number, f"d{number}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    chain = ledger.chain()
    assert chain.faults == ()
    assert {entry.id for entry in chain.entries} == {f"d{number}" for number in range(12)}
    pointer = ledger.pointer()
    assert pointer is not None
    assert pointer.generation == 12
    assert pointer.sha256 == chain.entries[-1].bundle


def test_an_entry_says_who_when_and_why(ledger: Ledger, candidate: Make) -> None:
    ledger.append(
        "promote", Subject(candidate=candidate("a"), version=1), note("d1", checks=["better"])
    )
    stored = json.loads(ledger.store.get("ledger/tweets/entries/00000001.json"))
    assert (stored["actor"], stored["reason"], stored["time"]) == (
        "ann",
        "why not",
        "2026-11-21T10:00:00Z",
    )
    assert stored["evidence"] == {"checks": ["better"]}
    assert stored["bundle"] == candidate("a").sha256


def test_a_move_needs_a_version(ledger: Ledger, candidate: Make) -> None:
    with pytest.raises(ValueError, match="promote of a needs a registered version"):
        ledger.append("promote", Subject(candidate=candidate("a")), note("d1"))
