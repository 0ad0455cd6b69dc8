"""Topic `rejected`, read backward: the newest refusals first, straight from the broker; no second store.

A page takes steps from the end (or from where the last page ended) towards the beginning, and reads each
step forward. A filter that hardly any record fits would read the whole topic: so a page ends, with the
refusals that it has, once it has read `MAX_RECORDS` or `MAX_BYTES`. The broker stamps the topic's records,
so an instant bounds the offsets.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from msgspec import Struct

from livesegments.core.fault import Fault
from livesegments.runtime.portions import Found, Portions, Unread
from livesegments.wire.rejected import Record, decode
from livesegments.wire.topics import REJECTED
from livesegments.wire.unreadable import Unreadable

TIMEOUT_S = 15.0
STEP, MAX_STEP = 64, 1_024
STEP_BYTES = 1024 * 1024
"""A step that read less is followed by one of twice as many records."""
LOOK_MS = 1_000
MAX_RECORDS = 20_000
MAX_BYTES = 32 * 1024 * 1024
KEPT_CHARS = 4_096
"""Of the raw bytes in base64, for each refusal of a page."""

_TOPIC = TopicPartition(REJECTED, 0)


class Refusal(Struct, frozen=True):
    """`at_ms` is when the broker took the record. A page's `record.raw` is cut at `KEPT_CHARS`."""

    offset: int
    at_ms: int
    record: Record


class Wanted(Struct, frozen=True):
    """None is any. `since_ms` is the first instant that fits, `until_ms` the first that no longer does; all
    refusals follow the offset `after`. `withheld` says which are of profiles that were erased."""

    workspace: str | None = None
    code: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    after: int | None = None
    withheld: Callable[[Record], bool] = lambda _: False

    def fits(self, record: Record) -> bool:
        return self.workspace in (None, record.workspace) and (
            (self.code is None or any(fault.code == self.code for fault in record.faults))
            and not self.withheld(record)
        )


class Page(Struct, frozen=True):
    """The next page lies before the offset `before`; None: it is the last. `end` is the topic's next one."""

    refusals: list[Refusal]
    before: int | None
    end: int


class Refusals:
    """Opens its consumer when first asked. One caller reads at a time."""

    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self._consumer: AIOKafkaConsumer | None = None
        self._one = asyncio.Lock()

    async def page(self, wanted: Wanted, before: int | None, most: int) -> Page:
        """Raises KafkaError or TimeoutError."""
        async with asyncio.timeout(TIMEOUT_S), self._one:
            try:
                return await self._page(await self._open(), wanted, before, most)
            except BaseException:
                await self.close()
                raise

    async def one(self, offset: int) -> Refusal | None:
        """With all its raw bytes. None: the topic has no such record, or no longer.

        Raises KafkaError or TimeoutError."""
        async with asyncio.timeout(TIMEOUT_S), self._one:
            try:
                consumer = await self._open()
                begin, end = await _ends(consumer)
                if not begin <= offset < end:
                    return None
                step = _Step(Wanted(), 1, whole=True)
                await _read(consumer, offset, offset + 1, step.take)
                return step.found[0] if step.found else None
            except BaseException:
                await self.close()
                raise

    async def since(self, at_ms: int, take: Callable[[Record], None]) -> None:
        """Gives every record that the broker took at this instant or later, and that is there now, forward.

        Others read between its steps. Raises KafkaError or TimeoutError."""

        def taken(found: Found) -> None:
            if not isinstance(found, Unread):
                take(_record(found))

        first = stop = -1
        while first < stop or stop < 0:
            async with asyncio.timeout(TIMEOUT_S), self._one:
                try:
                    consumer = await self._open()
                    begin, end = await _ends(consumer)
                    if stop < 0:
                        first, stop = await _offset(consumer, at_ms, begin, end), end
                    first = max(first, begin)
                    await _read(consumer, first, upto := min(stop, first + MAX_STEP), taken)
                    first = upto
                except BaseException:
                    await self.close()
                    raise

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _open(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(
                bootstrap_servers=self._kafka, auto_offset_reset="earliest", enable_auto_commit=False
            )
            await self._consumer.start()
            self._consumer.assign([_TOPIC])
            self._consumer.pause(_TOPIC)
        return self._consumer

    async def _page(self, consumer: AIOKafkaConsumer, wanted: Wanted, before: int | None, most: int) -> Page:
        begin, end = await _ends(consumer)
        first = max(begin, await _offset(consumer, wanted.since_ms, begin, end))
        if wanted.after is not None:
            first = max(first, wanted.after + 1)
        stop = min(end, await _offset(consumer, wanted.until_ms, end, end), end if before is None else before)
        refusals: list[Refusal] = []
        size, records, read_bytes = STEP, 0, 0
        while first < stop and len(refusals) < most and records < MAX_RECORDS and read_bytes < MAX_BYTES:
            start = max(first, stop - size)
            step = _Step(wanted, most - len(refusals))
            await _read(consumer, start, stop, step.take)
            refusals += reversed(step.found)
            records, read_bytes = records + stop - start, read_bytes + step.bytes
            size = min(MAX_STEP, size * 2) if step.bytes < STEP_BYTES else STEP
            stop = step.found[0].offset if step.fell_out else start
        return Page(refusals, stop if first < stop else None, end)


class _Step:
    """What a step found: the newest `most` that fit, in the order of the topic."""

    def __init__(self, wanted: Wanted, most: int, whole: bool = False) -> None:
        self._wanted, self._whole = wanted, whole
        self.found: deque[Refusal] = deque(maxlen=most)
        self.bytes = 0
        self._stamp = 0
        self.fell_out = False

    def take(self, found: Found) -> None:
        """An unread record has no stamp that could be read: it gets that of the one before."""
        if isinstance(found, Unread):
            record = _foreign(found.source, found.why, self._stamp, 0)
        else:
            self.bytes += len(found.value or b"")
            self._stamp = found.timestamp
            record = _record(found)
        if not self._wanted.fits(record):
            return
        if not self._whole:
            record = msgspec.structs.replace(record, raw=record.raw[:KEPT_CHARS])
        self.fell_out = self.fell_out or len(self.found) == self.found.maxlen
        self.found.append(Refusal(found.offset, self._stamp, record))


def _record(found: ConsumerRecord[Any, Any]) -> Record:
    """What is none of ours in the topic is a refusal, too: one that only an admin sees."""
    try:
        return decode(found.value)
    except Unreadable as error:
        source = f"{REJECTED}/{found.partition}/{found.offset}"
        return _foreign(source, str(error), found.timestamp, len(found.value or b""))


def _foreign(source: str, error: str, stamp: int, size: int) -> Record:
    why = f"this record of the topic is not ours: {error}"[:200]
    return Record(why, [Fault("", "unreadable", why)], source, None, stamp, "", size, size > 0)


async def _ends(consumer: AIOKafkaConsumer) -> tuple[int, int]:
    begin = await consumer.beginning_offsets([_TOPIC])
    end = await consumer.end_offsets([_TOPIC])
    return begin[_TOPIC], end[_TOPIC]


async def _offset(consumer: AIOKafkaConsumer, at_ms: int | None, missing: int, end: int) -> int:
    """Of the first record that has this stamp or a later one; `end` where none has."""
    if at_ms is None:
        return missing
    found = (await consumer.offsets_for_times({_TOPIC: max(0, at_ms)}))[_TOPIC]
    return end if found is None else int(found.offset)


async def _read(consumer: AIOKafkaConsumer, start: int, stop: int, take: Callable[[Found], None]) -> None:
    consumer.seek(_TOPIC, start)
    consumer.resume(_TOPIC)
    portions = Portions(consumer)
    try:
        while await consumer.position(_TOPIC) < stop:
            for record in await portions.take([_TOPIC], look_ms=LOOK_MS):
                if record.offset < stop:
                    take(record)
    finally:
        consumer.pause(_TOPIC)
