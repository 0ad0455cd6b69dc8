"""Events → packed records of one partition, sent in order, acknowledged by all replicas.

A lane is a partition's queue. While nothing of it is under way an event leaves at once; while something
is, events gather until that is acknowledged, a record is full, or `MAX_WAIT_MS` have passed. So an idle
system is prompt and a busy one packs itself. The bytes that wait or are under way have a bound, and
`Busy` asks the sender to come back; nothing is accepted that could not be kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from livesegments.ingest.receipt import Accepted
from livesegments.wire.pack import MAX_BYTES, MAX_EVENTS, MAX_WAIT_MS
from livesegments.wire.topics import partition_of

MAX_PENDING_BYTES = 64 * 1024 * 1024
MAX_UNDER_WAY = 4
"""Records of one partition that are not yet acknowledged."""
BEHIND_S = 2.0
"""The broker is behind when the oldest record has waited this long."""

_encoder = msgspec.msgpack.Encoder()


class Busy(Exception):
    """Nothing more is taken for now."""


class Log(Protocol):
    async def send(self, partition: int, value: bytes, timestamp_ms: int) -> asyncio.Future[object]:
        """Hands one record of topic `events` over, in order; the future is its acknowledgement."""


def packed(events: Iterable[bytes]) -> bytes:
    """The record (`wire.pack.Packed`) of events that are msgpack already."""
    return _encoder.encode(("e", [msgspec.Raw(event) for event in events]))


class Packer:
    def __init__(
        self,
        log: Log,
        partitions: int,
        now_ms: Callable[[], int],
        kept: Callable[[Sequence[Accepted]], None] | None = None,
        sieve: Callable[[Sequence[Accepted]], Sequence[Accepted]] | None = None,
    ) -> None:
        """`kept` is called with the events of every call of `put` that the broker has; `sieve` says which are
        to be packed at all."""
        self._sieve = sieve
        self._kept = kept
        self._partitions = partitions
        self._lanes = [Lane(number, log, now_ms, self._release) for number in range(partitions)]
        self.pending_bytes = 0

    async def put(self, events: Sequence[Accepted]) -> None:
        """Returns when the broker has them all. Raises Busy, or aiokafka.errors.KafkaError.

        Events of one profile keep their order, within a call and from one call to the next. After an
        error some may have arrived: sending all again is safe, for ids are known.
        """
        if self.pending_bytes > MAX_PENDING_BYTES or any(lane.waited_s() > BEHIND_S for lane in self._lanes):
            raise Busy
        if self._sieve is not None:
            events = self._sieve(events)
        futures: dict[asyncio.Future[None], None] = {}
        for event in events:
            self.pending_bytes += len(event.data)
            partition = partition_of(event.workspace, event.profile, self._partitions)
            futures[self._lanes[partition].add(event.data)] = None
        if futures:
            await _all(futures)
            if self._kept is not None:
                self._kept(events)

    async def close(self) -> None:
        """Sends the events that wait, and waits for the records that are under way."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))

    def _release(self, size: int) -> None:
        self.pending_bytes -= size


async def _all(futures: Iterable[asyncio.Future[None]]) -> None:
    """Waits for all, even if one fails; shielded, because a record carries events of several requests."""
    results = await asyncio.gather(*map(asyncio.shield, futures), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


class Lane:
    """One partition's events: `_events` gather for the next record, whose future is `_next`."""

    def __init__(
        self, number: int, log: Log, now_ms: Callable[[], int], release: Callable[[int], None]
    ) -> None:
        self._number = number
        self._log = log
        self._now_ms = now_ms
        self._release = release
        self._events: list[bytes] = []
        self._size = 0
        self._next: asyncio.Future[None] | None = None
        self._full: list[tuple[list[bytes], asyncio.Future[None]]] = []
        self._under_way: dict[asyncio.Future[object], float] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def waited_s(self) -> float:
        """How long the oldest record has been under way."""
        if not self._under_way:
            return 0.0
        return asyncio.get_running_loop().time() - next(iter(self._under_way.values()))

    def add(self, event: bytes) -> asyncio.Future[None]:
        if self._events and (len(self._events) == MAX_EVENTS or self._size + len(event) > MAX_BYTES):
            self._cut()
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        self._events.append(event)
        self._size += len(event)
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return self._next

    async def close(self) -> None:
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _cut(self) -> None:
        assert self._next is not None
        self._full.append((self._events, self._next))
        self._events, self._size, self._next = [], 0, None

    async def _run(self) -> None:
        """While there is anything to send."""
        await asyncio.sleep(0)
        while self._events or self._full:
            if not self._full:
                if self._under_way:
                    await self._gather()
                if not self._full:
                    self._cut()
            while len(self._under_way) >= MAX_UNDER_WAY:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            await self._send(*self._full.pop(0))

    async def _gather(self) -> None:
        """Until something is acknowledged, a record is full, or events have waited long enough."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + MAX_WAIT_MS / 1_000
        under_way = len(self._under_way)
        while not self._full and len(self._under_way) >= under_way:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def _send(self, events: list[bytes], told: asyncio.Future[None]) -> None:
        size = sum(map(len, events))
        try:
            sent = await self._log.send(self._number, packed(events), self._now_ms())
        except Exception as error:  # the requests get the error; the lane goes on
            self._release(size)
            told.set_exception(error)
            told.exception()
            return
        self._under_way[sent] = asyncio.get_running_loop().time()

        def acknowledged(future: asyncio.Future[object]) -> None:
            self._under_way.pop(future, None)
            self._release(size)
            self._changed.set()
            error = ConnectionError("the producer was stopped") if future.cancelled() else future.exception()
            if error is None:
                told.set_result(None)
            else:
                told.set_exception(error)
                told.exception()

        sent.add_done_callback(acknowledged)
