"""The door to what a sweep remembers: a journal for each sweep, in PostgreSQL.

Optuna's journal storage replays it into memory, so that a trial costs a few short inserts, where
its relational storage takes a transaction and several queries for each parameter (measured:
`tests/benchmarks/2026-11-25_sweep_engine.md`).
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import uuid4

from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from infra.settings import load_settings

log = logging.getLogger(__name__)
R = TypeVar("R")

PATIENCE_SECONDS = 300.0
"""How long an outage of the database is waited out."""
PAUSE_SECONDS = 1.0

TABLE = text(
    "CREATE TABLE IF NOT EXISTS sweep_journal (study text NOT NULL, number bigint NOT NULL, "
    "key text NOT NULL, entry text NOT NULL, PRIMARY KEY (study, number), UNIQUE (study, key))"
)
NEXT = text("SELECT coalesce(max(number), -1) + 1 FROM sweep_journal WHERE study = :study")
APPEND = text(
    "INSERT INTO sweep_journal SELECT :study, number, key, entry FROM unnest("
    "CAST(:numbers AS bigint[]), CAST(:keys AS text[]), CAST(:entries AS text[])) "
    "AS fresh (number, key, entry) ON CONFLICT (study, key) DO NOTHING"
)
READ = text(
    "SELECT entry FROM sweep_journal WHERE study = :study AND number >= :number ORDER BY number"
)


@contextmanager
def sweep_storage(study: str) -> Iterator[JournalStorage]:
    """Optuna's storage over the journal of `study`, which is whole when the block is left."""
    journal = PostgresJournal(load_settings().database_url.get_secret_value(), study)
    try:
        yield JournalStorage(journal)
    finally:
        journal.close()


class PostgresJournal(BaseJournalBackend):
    """Entries of one study, in the order in which they were made; an outage is waited out.

    A thread writes them behind whoever makes them, all that are there in one transaction, so what
    a kill loses are the newest few entries and never one before another: a sweep then makes them
    again. One process at a time writes, so what it wrote since it last read is not asked for.
    """

    def __init__(self, url: str, study: str, patience: float = PATIENCE_SECONDS) -> None:
        self._engine = create_engine(url, pool_size=1, max_overflow=1)
        self._study, self._patience = study, patience
        self._patiently(lambda connection: connection.execute(TABLE))
        self._next = self._written = self._patiently(self._number_of_next)
        self._unread: list[dict[str, Any]] = []
        self._pending: list[str] = []
        self._changed = threading.Condition()
        self._trouble: Exception | None = None
        self._is_closed = False
        self._writer = threading.Thread(target=self._write_behind, daemon=True)
        self._writer.start()

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """Entries from this number on."""
        unread, self._unread = self._unread, []
        if log_number_from >= self._next - len(unread):
            return unread[len(unread) - (self._next - log_number_from) :]
        self.flush()
        place = {"study": self._study, "number": log_number_from}
        rows = self._patiently(lambda connection: connection.execute(READ, place).all())
        return [json.loads(row.entry) for row in rows]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Have entries written.

        Raises what kept earlier ones from it: `IntegrityError` when another process writes to the
        same study, `ConnectionError` when the database has been away for too long.
        """
        with self._changed:
            if self._trouble:
                raise self._trouble
            self._pending += map(json.dumps, logs)
            self._next += len(logs)
            self._changed.notify_all()
        self._unread += logs

    def flush(self) -> None:
        """Wait until all entries are written; raises as `append_logs` does."""
        with self._changed:
            self._changed.wait_for(lambda: self._written == self._next or self._trouble)
            if self._trouble:
                raise self._trouble

    def close(self) -> None:
        """Write what is left."""
        try:
            self.flush()
        finally:
            with self._changed:
                self._is_closed = True
                self._changed.notify_all()
            self._writer.join()
            self._engine.dispose()

    def _write_behind(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._is_closed)
                if not self._pending:
                    return
                entries, self._pending = self._pending, []
            try:
                self._write(entries)
            except Exception as error:
                with self._changed:
                    self._trouble = error
                    self._changed.notify_all()
                return
            with self._changed:
                self._written += len(entries)
                self._changed.notify_all()

    def _write(self, entries: list[str]) -> None:
        # A commit that is not answered for may have happened: keys make writing it again harmless.
        rows = {
            "study": self._study,
            "numbers": list(range(self._written, self._written + len(entries))),
            "keys": [uuid4().hex for _ in entries],
            "entries": entries,
        }
        self._patiently(lambda connection: connection.execute(APPEND, rows))

    def _number_of_next(self, connection: Connection) -> int:
        return int(connection.execute(NEXT, {"study": self._study}).scalar_one())

    def _patiently(self, work: Callable[[Connection], R]) -> R:
        """The answer of `work`, in a transaction of its own, as soon as the database gives one."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except OperationalError as error:
                if time.monotonic() > deadline:
                    raise ConnectionError(
                        f"PostgreSQL has not answered for {self._patience:.0f} s: "
                        "see `modelworks doctor`; the same command goes on from here"
                    ) from error
                log.warning("PostgreSQL does not answer; the sweep waits for it")
                self._engine.dispose()
                time.sleep(PAUSE_SECONDS)
