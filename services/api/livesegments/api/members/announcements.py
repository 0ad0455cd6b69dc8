"""Transitions from topic `memberships`, from now on or from a place on, for the listeners of this process.

One consumer for all listeners of this process; it runs only while there are any. A listener has a bounded
queue: one that reads too slowly gets a message that says so, is dropped, and never holds up the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import structlog
from msgspec import Struct

from livesegments.core.event import Cause, Transition
from livesegments.runtime import metrics, tasks
from livesegments.runtime.portions import Found, Unread
from livesegments.runtime.reader import Reader
from livesegments.wire import memberships
from livesegments.wire.hearing import concerns, hears
from livesegments.wire.subscription import Subscription
from livesegments.wire.topics import MEMBERSHIPS
from livesegments.wire.unreadable import Unreadable

QUEUE = 10_000
MAX_LISTENERS = 200
BACKFILL: Cause = "backfill"
START_S = 10.0

_log = structlog.get_logger(__name__)


class TooMany(Exception):
    """There are as many listeners as there may be."""


Place: TypeAlias = tuple[int, ...]
"""The next offset of each partition: everything before it was given."""


class Heard(Struct, frozen=True):
    """A transition, and the place after it."""

    transition: Transition
    place: Place


class Listener:
    """`queue` gives the transitions that are heard; None: it was too slow, or the api ends, and nothing more
    comes.

    `after`: transitions before this place were given to it already. `begin`: from here on every transition is
    offered to it. `backfill`: whether it hears who enters and leaves because a definition was given its
    history. `rule`: a subscription that says instead what is heard."""

    def __init__(
        self,
        workspace: str,
        segment: str | None,
        after: Place,
        backfill: bool,
        rule: Subscription | None = None,
    ) -> None:
        self.workspace, self.segment, self.after, self.backfill = workspace, segment, after, backfill
        self.rule = rule
        self.begin: Place = ()
        self.queue: asyncio.Queue[Heard | None] = asyncio.Queue(QUEUE + 1)
        self.dropped = False

    def wants(self, transition: Transition) -> bool:
        if self.rule is not None:
            return concerns(self.rule, transition) and hears(self.rule, transition)
        return (
            transition.workspace == self.workspace
            and self.segment in (None, transition.segment)
            and (self.backfill or transition.cause != BACKFILL)
        )

    def offer(self, transition: Transition, partition: int, offset: int, place: Place) -> None:
        if self.dropped or not self.wants(transition) or (self.after and offset < self.after[partition]):
            return
        if self.queue.qsize() >= QUEUE:
            self.end()
        else:
            self.queue.put_nowait(Heard(transition, self.at(place)))

    def at(self, place: Place) -> Place:
        return tuple(map(max, place, self.after)) if self.after else place

    def end(self) -> None:
        if not self.dropped:
            self.dropped = True
            self.queue.put_nowait(None)


class Announcements:
    def __init__(self, kafka: str, partitions: int) -> None:
        self._kafka = kafka
        self._partitions = partitions
        self._listeners: set[Listener] = set()
        self._changing = asyncio.Lock()
        self._reader: Reader | None = None
        self._task: asyncio.Task[None] | None = None
        self._next: list[int] = []

    @property
    def partitions(self) -> int:
        return self._partitions

    @property
    def place(self) -> Place:
        """Up to where all listeners have been offered everything."""
        return tuple(self._next)

    @asynccontextmanager
    async def earlier(self, after: Place) -> AsyncIterator[Reader]:
        """A reader that begins at a place. Raises OffsetOutOfRangeError if the topic doesn't hold it any
        more, or never did; KafkaError, TimeoutError."""
        reader = Reader(self._kafka, MEMBERSHIPS, self._partitions)
        try:
            async with asyncio.timeout(START_S):
                await reader.start(dict(enumerate(after)))
            yield reader
        finally:
            await reader.close()

    @asynccontextmanager
    async def listen(
        self,
        workspace: str,
        segment: str | None,
        after: Place = (),
        backfill: bool = False,
        rule: Subscription | None = None,
    ) -> AsyncIterator[Listener]:
        """From here on nothing is missed. Raises TooMany, KafkaError, TimeoutError."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise TooMany
        listener = Listener(workspace, segment, after, backfill, rule)
        metrics.API_LISTENERS.inc()
        try:
            async with asyncio.timeout(START_S), self._changing:
                if self._task is None or self._task.done():
                    await self._stop()
                    await self._start()
                self._listeners.add(listener)
                listener.begin = self.place
            yield listener
        finally:
            self._listeners.discard(listener)
            metrics.API_LISTENERS.dec()
            async with self._changing:
                if not self._listeners:
                    await self._stop()

    def _end_all(self, _: object = None) -> None:
        for listener in self._listeners:
            listener.end()

    async def close(self) -> None:
        self._end_all()
        async with self._changing:
            await self._stop()

    async def _start(self) -> None:
        reader = Reader(self._kafka, MEMBERSHIPS, self._partitions)
        try:
            await reader.start("end")
            self._next = await _positions(reader)
        except BaseException:
            await reader.close()
            raise
        self._reader = reader
        self._task = asyncio.create_task(self._follow(reader))
        self._task.add_done_callback(self._end_all)

    async def _stop(self) -> None:
        if self._task is not None and self._reader is not None:
            await tasks.cancelled([self._task])
            await self._reader.close()
        self._task = self._reader = None

    async def _follow(self, reader: Reader) -> None:
        async for record in reader.follow():
            self._next[record.partition] = record.offset + 1
            transition = read(record)
            if transition is not None:
                place = self.place
                for listener in self._listeners:
                    listener.offer(transition, record.partition, record.offset, place)


async def caught_up(reader: Reader, listener: Listener) -> AsyncIterator[Heard]:
    """What the listener missed, from where the reader begins up to where the listener does."""
    until = listener.begin
    places = await _positions(reader)
    while any(at < end for at, end in zip(places, until, strict=True)):
        for record in await reader.take():
            places[record.partition] = max(places[record.partition], record.offset + 1)
            transition = read(record) if record.offset < until[record.partition] else None
            if transition is not None and listener.wants(transition):
                yield Heard(transition, tuple(map(min, places, map(max, until, listener.after))))
        places = await _positions(reader)


async def _positions(reader: Reader) -> list[int]:
    return [at for _, at in sorted((await reader.positions()).items())]


def read(record: Found) -> Transition | None:
    """None, counted and logged, where it is none."""
    try:
        if isinstance(record, Unread):
            raise Unreadable(record.why)
        return memberships.decode(record.value)
    except Unreadable as error:
        metrics.MEMBERSHIPS_UNREADABLE.inc()
        at = f"{record.topic}/{record.partition}/{record.offset}"
        _log.error("a transition can't be read", source=at, error=str(error))
        return None
