"""Cells that say when."""

from datetime import UTC, datetime
from typing import Any


def seconds_of(value: Any) -> float:
    """Seconds since 1970 of an ISO 8601 date or time, in UTC where it names no zone.

    Raises ValueError for anything else.
    """
    moment = datetime.fromisoformat(str(value).strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
