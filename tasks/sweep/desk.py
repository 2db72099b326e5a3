"""Where whoever searches and the workers of its trials leave word for one another.

A module of its own: the actor's process need not load torch. What stands there is said again by
either side, so that a desk that died may be empty when it comes back.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import NamedTuple

from tasks.costs.meter import Used


class Made(NamedTuple):
    """What has come of a trial so far."""

    scores: tuple[float, ...] = ()
    """Of each pass."""
    used: Used = Used()
    """By its first worker."""


class Desk:
    """Of all trials of a sweep, by number."""

    def __init__(self) -> None:
        self._made: dict[int, Made] = {}
        self._told: dict[int, int] = {}
        self._ended: set[int] = set()
        self._changed = asyncio.Condition()

    async def passed(self, number: int, made: Made) -> None:
        """Said by a first worker after a pass; answered when they may make the next."""
        async with self._changed:
            if len(made.scores) > len(self._of(number).scores):  # else a worker has died since
                self._made[number] = made
                self._changed.notify_all()
            count = len(made.scores)
            await self._changed.wait_for(lambda: self._told.get(number, -1) >= count)

    async def ended(self, number: int) -> None:
        """Asked by a first worker; answered when its trial is over."""
        async with self._changed:
            await self._changed.wait_for(lambda: number in self._ended)

    async def look(
        self, told: Mapping[int, int], ended: Collection[int], seconds: float
    ) -> dict[int, Made]:
        """What has come of these trials, as soon as there is a pass more than was told of one.

        What was told may be followed by another pass; who has ended may go.
        """
        async with self._changed:
            self._told |= told
            self._ended |= set(ended)
            self._changed.notify_all()
            news = self._changed.wait_for(
                lambda: any(len(self._of(each).scores) > count for each, count in told.items())
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(news, seconds)
            return {number: self._of(number) for number in told}

    def _of(self, number: int) -> Made:
        return self._made.get(number, Made())
