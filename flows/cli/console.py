"""How the command line speaks: tables and sentences for people, one JSON object for machines."""

import json
import logging
import re
import sys
from collections.abc import Mapping
from time import monotonic
from typing import Any

from rich.console import Console
from rich.markup import escape

from infra.progress import LOGGER_NAME

console = Console(stderr=True)
"""All that is said while a command works, and every error."""
ENDED = re.compile(r"(?P<state>ran|cached) (?P<seconds>[0-9.]+)")
out = Console(width=None if sys.stdout.isatty() else 120)
"""The answer."""


def answer_json(payload: Mapping[str, Any]) -> None:
    """Write the one JSON object of a command to stdout."""
    sys.stdout.write(json.dumps(payload, default=str, allow_nan=False) + "\n")
    sys.stdout.flush()


def say(sentence: str) -> None:
    """Tell a person what is going on."""
    console.print(escape(sentence), highlight=False, soft_wrap=True)


class ProgressLines(logging.Handler):
    """Renders progress: a line that rewrites itself on a terminal, plain lines elsewhere."""

    def __init__(self, interval_seconds: float = 5.0) -> None:
        super().__init__(logging.INFO)
        self.steps: list[dict[str, Any]] = []
        """`{name, state: ran|cached, seconds}` of every step that ended, in order."""
        self.warnings: list[str] = []
        self._interval = interval_seconds
        self._last: dict[str, float] = {}
        self._status = console.status("") if console.is_terminal else None

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record; a step's first and last always, those between every few seconds."""
        note, now = getattr(record, "note", ""), monotonic()
        step = getattr(record, "step", "")
        if record.levelno >= logging.WARNING:
            self.warnings.append(note)
            self._line(f"  [yellow]![/yellow] {escape(note)}")
        elif ended := ENDED.fullmatch(note):
            self._end(step, ended["state"], float(ended["seconds"]))
        elif self._status is not None:
            self._status.update(_rendered(record))
        elif note == "started" or now - self._last.get(step, 0.0) >= self._interval:
            self._last[step] = now
            self._line(f"  {_rendered(record)}")

    def _end(self, step: str, state: str, seconds: float) -> None:
        self.steps.append({"name": step, "state": state, "seconds": seconds})
        took = f"{seconds:.1f} s" if state == "ran" else "cached"
        self._line(f"  [green]✓[/green] {step} [dim]{took}[/dim]")

    def _line(self, text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    def __enter__(self) -> "ProgressLines":
        logger = logging.getLogger(LOGGER_NAME)
        logger.setLevel(logging.INFO)
        logger.addHandler(self)
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(LOGGER_NAME).removeHandler(self)
        if self._status is not None:
            self._status.stop()


def _rendered(record: logging.LogRecord) -> str:
    step, note = getattr(record, "step", ""), getattr(record, "note", "")
    done, total = getattr(record, "done", 0.0), getattr(record, "total", 0.0)
    share = f" {done / total:4.0%}" if total and done > 0 else ""
    return escape(f"{step}{share}  {note}")
