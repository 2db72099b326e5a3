"""The truth about promotion: an append-only chain of entries, and one pointer that follows it.

An entry is written only if its number is free, so the chain itself is the compare-and-swap: of
two writers one wins, the other reads again. The champion is what the last entry says. The pointer
follows, moved by `If-Match` and only forwards; a crash between the two leaves a pointer that is
behind, which the next reader mends. So a champion changes by an entry, and once for each decision.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Protocol

from pydantic import Field, JsonValue

from tasks.artifacts import Artifact, Candidate
from tasks.promotion.entries import (
    MOVES,
    Action,
    Chain,
    Entry,
    Pointer,
    Seat,
    Standing,
    entry_name,
    read_chain,
    standing_of,
)

TRIES = 40


class ObjectStore(Protocol):
    """What the ledger needs of a bucket."""

    conflict: type[Exception]
    """Raised by `put_if_match` when another writer was faster."""

    def get(self, key: str) -> bytes: ...
    def get_with_etag(self, key: str) -> tuple[bytes, str]: ...
    def put_if_match(self, key: str, body: bytes, etag: str | None) -> str: ...
    def keys(self, prefix: str) -> list[str]: ...


class Subject(Artifact):
    """The bundle that an entry is about."""

    candidate: Candidate
    version: int | None = None


class Note(Artifact):
    """Who wants an entry, why, and the evidence; the id makes it happen once."""

    id: str
    actor: str
    reason: str
    evidence: dict[str, JsonValue] = Field(default_factory=dict)


Check = Callable[[Chain], None]


class BrokenLedger(RuntimeError):
    """Entries are missing or were changed: nothing is promoted on top of them."""


class StaleDecision(RuntimeError):
    """The champion has changed since the decision was made."""


class Ledger:
    """One project's ledger. Every method that writes may be repeated with the same `id`."""

    def __init__(
        self, store: ObjectStore, project: str, now: Callable[[], str] | None = None
    ) -> None:
        self.store = store
        self.project = project
        self.now = now or _utc_now
        self._prefix = f"ledger/{project}/entries/"
        self._pointer_key = f"ledger/{project}/pointer.json"

    def chain(self) -> Chain:
        """Every entry, read anew and checked."""
        keys = self.store.keys(self._prefix)
        with ThreadPoolExecutor(8) as pool:
            bodies = list(pool.map(self.store.get, keys))
        names = [key.removeprefix(self._prefix) for key in keys]
        return read_chain(list(zip(names, bodies, strict=True)))

    def mended(self) -> Chain:
        """Every entry; a pointer that a crash left behind follows them first."""
        chain = self.chain()
        self._follow(chain.seat)
        return chain

    def standing(self) -> Standing:
        """Champion and barred bundles, of a mended ledger."""
        return standing_of(self.mended())

    def pointer(self) -> Pointer | None:
        """The pointer as it is stored."""
        try:
            return Pointer.model_validate_json(self.store.get(self._pointer_key))
        except KeyError:
            return None

    def append(
        self, action: Action, subject: Subject, note: Note, check: Check | None = None
    ) -> Entry:
        """Write one entry and let the pointer follow; an id that is there already stays as it is.

        `check` sees the chain that the entry would follow and raises to refuse. Raises
        BrokenLedger when the chain has a fault.
        """
        for attempt in range(TRIES):
            chain = self.chain()
            entry = chain.find(note.id)
            if entry is None:
                self._refuse(chain, check)
                entry = self._next(chain, action, subject, note)
                try:
                    self.store.put_if_match(self._key(entry.seq), entry.body(), None)
                except self.store.conflict:
                    time.sleep(0.02 * min(attempt, 10))
                    continue
            self._follow(entry.champion)
            return entry
        raise TimeoutError(f"the ledger of {self.project} is written by too many: try again")

    def _refuse(self, chain: Chain, check: Check | None) -> None:
        if chain.faults:
            raise BrokenLedger(f"the ledger of {self.project} is broken: {chain.faults[0]}")
        if check is not None:
            check(chain)

    def _next(self, chain: Chain, action: Action, subject: Subject, note: Note) -> Entry:
        """The entry that would follow the chain."""
        seq, seat = len(chain.entries) + 1, chain.seat
        if action in MOVES:
            if subject.version is None:
                raise ValueError(f"{action} of {subject.candidate.name} needs a registered version")
            seat = Seat(
                sha256=subject.candidate.sha256,
                version=subject.version,
                generation=chain.generation + 1,
                entry=seq,
            )
        return Entry(
            seq=seq,
            previous=chain.head_digest,
            time=self.now(),
            action=action,
            version=subject.version,
            bundle=subject.candidate.sha256,
            candidate=subject.candidate,
            champion=seat,
            **note.model_dump(),
        )

    def _key(self, seq: int) -> str:
        return self._prefix + entry_name(seq)

    def _follow(self, seat: Seat | None) -> None:
        """Move the pointer to `seat`, unless it is there or further already."""
        if seat is None:
            return
        body = Pointer(**seat.model_dump()).model_dump_json(indent=1).encode() + b"\n"
        for _ in range(TRIES):
            etag = None
            try:
                stored, etag = self.store.get_with_etag(self._pointer_key)
                if Pointer.model_validate_json(stored).generation >= seat.generation:
                    return
            except KeyError:
                pass
            try:
                self.store.put_if_match(self._pointer_key, body, etag)
                return
            except self.store.conflict:
                continue
        raise TimeoutError(f"the pointer of {self.project} is written by too many: try again")


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
