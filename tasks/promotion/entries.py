"""What the ledger is made of, and what a chain of it adds up to. Pure values."""

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from tasks.artifacts import Artifact, Candidate

FORMAT = 1
Action = Literal["decision", "wait", "promote", "approve", "reject", "rollback"]
MOVES: tuple[Action, ...] = ("promote", "approve", "rollback")
"""Actions that change the champion."""


class Seat(Artifact):
    """Who is champion, and since which entry. `generation` counts every change, also back."""

    sha256: str
    version: int
    generation: int
    entry: int


class Pointer(Seat):
    """The one object that serving reads; always derived from an entry."""

    format: int = FORMAT


class Entry(Artifact):
    """One line of the ledger, as stored: never changed, never removed."""

    format: int = FORMAT
    seq: int
    previous: str | None
    """sha256 of the bytes of the entry before; None for the first."""
    time: str
    actor: str
    action: Action
    reason: str
    id: str
    """Of the decision: one that was carried out is never carried out again."""
    version: int | None
    """Registered version that the entry is about."""
    bundle: str
    """sha256 of the bundle that the entry is about."""
    candidate: Candidate
    evidence: dict[str, JsonValue]
    champion: Seat | None
    """Who is champion once this entry is written."""

    def body(self) -> bytes:
        """The bytes that are stored and hashed."""
        return self.model_dump_json(indent=1).encode() + b"\n"


class Bar(Artifact):
    """A bundle that a person sent away; it comes back by hand only."""

    sha256: str
    sentence: str
    """`rolled back by ann on 2026-11-21T10:00:00Z: slow`"""


class Standing(Artifact):
    """What a ledger adds up to: the same entries give the same standing."""

    champion: Candidate | None = None
    version: int | None = None
    generation: int = 0
    barred: tuple[Bar, ...] = ()
    question: str = ""
    """What was asked of the ledger: an answer that is in it already is found by this."""
    after: int = 0
    """The entry of this reign by which another candidate waits, or one was sent away; 0: none. The
    same answer given after it is another one."""
    unasked: str = ""
    """Why the champion cannot answer the rows of the decision, if it cannot."""

    @property
    def asked(self) -> Candidate | None:
        """The champion, where it can answer the rows of the decision."""
        return None if self.unasked else self.champion

    def bar_of(self, sha256: str) -> str | None:
        """Why the bundle may not be promoted without a person, if it may not."""
        return next((bar.sentence for bar in self.barred if bar.sha256 == sha256), None)


class Chain(BaseModel):
    """All entries in order, and what is wrong with them."""

    model_config = ConfigDict(frozen=True)

    entries: tuple[Entry, ...]
    bodies: tuple[bytes, ...]
    faults: tuple[str, ...]

    @property
    def head_digest(self) -> str | None:
        """What the next entry names as its previous one."""
        return hashlib.sha256(self.bodies[-1]).hexdigest() if self.bodies else None

    @property
    def seat(self) -> Seat | None:
        """The champion after the last entry."""
        return self.entries[-1].champion if self.entries else None

    @property
    def generation(self) -> int:
        """How often the champion has changed."""
        return self.seat.generation if self.seat else 0

    def find(self, id_: str) -> Entry | None:
        """The entry that a decision was written as."""
        return next((entry for entry in self.entries if entry.id == id_), None)

    def before(self, entry: Entry) -> "Chain":
        """The chain as it was when `entry` was written."""
        end = entry.seq - 1
        return Chain(entries=self.entries[:end], bodies=self.bodies[:end], faults=self.faults)

    def pending(self) -> Entry | None:
        """The candidate that waits for a person; a later one, or any move, takes its place."""
        for entry in reversed(self.entries):
            if entry.action == "wait":
                return entry
            if entry.action in (*MOVES, "reject"):
                return None
        return None

    def last_of_others(self, question: str) -> int:
        """The last entry since the champion changed by which somebody waits who did not answer
        `question`, or was sent away; 0: there is none."""
        for entry in reversed(self.entries):
            if entry.action in MOVES:
                return 0
            is_own = entry.action == "wait" and entry.evidence.get("question") == question
            if entry.action in ("wait", "reject") and not is_own:
                return entry.seq
        return 0

    def reigns(self) -> list[Entry]:
        """Moves that lead to today's champion, each the one before the next; the last is today's.

        A rollback takes away the reigns that it went back over.
        """
        reigns: list[Entry] = []
        for entry in self.entries:
            if entry.action == "rollback":
                while reigns and reigns[-1].version != entry.version:
                    reigns.pop()
            elif entry.action in MOVES:
                reigns.append(entry)
        return reigns


def entry_name(seq: int) -> str:
    """`00000001.json`"""
    return f"{seq:08d}.json"


def read_chain(bodies: Sequence[tuple[str, bytes]]) -> Chain:
    """Entries from their named bytes; a gap or a broken link becomes a fault, not an error.

    Nothing behind an entry that cannot be read is looked at.
    """
    entries: list[Entry] = []
    kept: list[bytes] = []
    faults: list[str] = []
    for place, (name, body) in enumerate(bodies, start=1):
        try:
            entry = Entry.model_validate_json(body)
        except ValidationError as error:
            faults.append(f"{name} cannot be read: {error.errors()[0]['msg']}")
            break
        if name != entry_name(place) or entry.seq != place:
            faults.append(f"{name} calls itself {entry.seq} and stands at place {place}")
        if entry.previous != (hashlib.sha256(kept[-1]).hexdigest() if kept else None):
            faults.append(f"{name} does not follow from the bytes of the entry before it")
        entries.append(entry)
        kept.append(body)
    return Chain(entries=tuple(entries), bodies=tuple(kept), faults=tuple(faults))


def standing_of(chain: Chain) -> Standing:
    """Champion and barred bundles."""
    seat, barred = chain.seat, tuple(_bars(chain).values())
    if seat is None:
        return Standing(barred=barred)
    champion = next(e.candidate for e in reversed(chain.entries) if e.bundle == seat.sha256)
    return Standing(
        champion=champion, version=seat.version, generation=seat.generation, barred=barred
    )


def _bars(chain: Chain) -> dict[str, Bar]:
    bars: dict[str, Bar] = {}
    for entry in chain.entries:
        if entry.action == "reject":
            bars[entry.bundle] = _bar(entry.bundle, "rejected", entry)
        elif entry.action == "rollback":
            left: Any = entry.evidence.get("left", [])
            bars.update({sha256: _bar(sha256, "rolled back", entry) for sha256 in left})
        if entry.action in MOVES:
            bars.pop(entry.bundle, None)
    return bars


def _bar(sha256: str, what: str, entry: Entry) -> Bar:
    return Bar(sha256=sha256, sentence=f"{what} by {entry.actor} on {entry.time}: {entry.reason}")
