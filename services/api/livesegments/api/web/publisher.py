"""Keeps topic `definitions` and the catalogue in Redis the same: publishes the outbox, and restores the
side that was lost.

- A change is answered only after `published`: it is then in Redis and acknowledged by all in-sync replicas.
  One publisher at a time drains the outbox, in order; changes that wait meanwhile go together.
- If the api dies in between, the change stays in the outbox and is published later: it had passed every
  check, others may have read it already, and the next change may depend on it. So its author, who got no
  answer, may see it done; `Idempotency-Key` and the unique name make it safe to ask again.
- `restore`, at the start and whenever Redis has lost the catalogue: every record carries its change's
  number. Where the topic is as far as Redis or further (Redis empty, an old snapshot, a replica that lagged),
  the topic is the truth. Where Redis is further (the topic lost its end, or is new), the entries of Redis
  are published: definitions are never dropped because the broker forgot them.
"""

from __future__ import annotations

import asyncio

import structlog
from aiokafka.errors import KafkaError
from msgspec import Struct

from livesegments.runtime import metrics
from livesegments.runtime.portions import Found, Unread
from livesegments.runtime.producer import Producer
from livesegments.runtime.reader import Reader
from livesegments.store import keys
from livesegments.store.catalog import Catalog
from livesegments.store.changes import Change
from livesegments.store.client import Away, Client
from livesegments.store.turn import Turn
from livesegments.wire import catalog
from livesegments.wire.topics import DEFINITIONS
from livesegments.wire.unreadable import Unreadable

SEQUENCE_HEADER = "sequence"
SEND_TIMEOUT_S = 5.0
"""Shorter than a turn: a record that is sent in a turn arrives in it, or is given up."""
ANSWER_S = 12.0
"""An answer waits at most this long for its own change and those before it; longer than a dead publisher's
turn."""
WATCH_S = 1.0

_log = structlog.get_logger(__name__)


class Published(Struct):
    """The topic as it is: the last value per key, and the number of the newest change in it (0: none)."""

    entries: dict[str, bytes]
    sequence: int


class NotPublished(Exception):
    """The broker did not acknowledge in time: the change stays in the outbox and is published later."""


class Publisher:
    def __init__(self, store: Client, catalog: Catalog, kafka: str) -> None:
        self._turn = Turn(store, keys.CATALOG_PUBLISHER)
        self._catalog = catalog
        self._kafka = kafka
        self._producer = Producer(kafka)
        self._draining = asyncio.Lock()
        self._published = -1

    @property
    def restored(self) -> bool:
        """Whether this api has once seen both sides equal."""
        return self._published >= 0

    async def published(self, sequence: int) -> None:
        """Returns once change `sequence` is acknowledged. Raises NotPublished, or Away."""
        try:
            async with asyncio.timeout(ANSWER_S), self._draining:
                if self._published < sequence:
                    async with self._turn:
                        await self._drain()
        except (KafkaError, TimeoutError) as error:
            raise NotPublished from error

    async def watch(self) -> None:
        """Never returns: publishes what was left in the outbox, and restores what Redis has lost."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                sequence = await self._catalog.sequence()
                if sequence < self._published:
                    _log.warning("the catalogue in Redis is older than the topic", sequence=sequence)
                    await self.restore()
                elif sequence > self._published:
                    await self.published(sequence)
            except (NotPublished, KafkaError, Away, TimeoutError) as error:
                _log.warning("the catalogue can't be published now", error=repr(error))

    async def restore(self) -> None:
        """Makes both sides equal. Raises KafkaError or Away when one of them is away."""
        metrics.API_RESTORED.inc()
        async with self._draining, self._turn:
            while True:
                topic = await self._read()
                at = await self._catalog.sequence()
                waiting = await self._catalog.changes.outbox()
                if stale := [change for change in waiting if change.sequence <= topic.sequence]:
                    await self._catalog.changes.trim(stale[-1].sequence)
                if len(stale) < len(waiting):
                    await self._drain()
                elif at > topic.sequence:
                    await self._publish_missing(topic, at)
                    self._published = at
                    return
                elif await self._catalog.replace(topic.entries.values(), topic.sequence, at):
                    self._published = topic.sequence
                    return

    async def close(self) -> None:
        await self._producer.close()

    async def _drain(self) -> None:
        while changes := await self._catalog.changes.outbox():
            await self._send(changes)
            self._published = changes[-1].sequence
            metrics.API_PUBLISHED.inc(len(changes))
            await self._catalog.changes.trim(self._published)

    async def _publish_missing(self, topic: Published, sequence: int) -> None:
        """Redis is further than the topic: its entries hold, and are published."""
        entries = await self._catalog.entries()
        different = {key: data for key, data in entries.items() if topic.entries.get(key) != data}
        gone: dict[str, bytes] = dict.fromkeys(topic.entries.keys() - entries.keys(), b"")
        changes = [Change(sequence, key, value) for key, value in (different | gone).items()]
        await self._send(changes)

    async def _send(self, changes: list[Change]) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                producer = await self._producer.started()
                if not await self._turn.renew():
                    raise NotPublished  # the turn has gone to another
                sent = [
                    await producer.send(
                        DEFINITIONS,
                        key=change.key.encode(),
                        value=change.value or None,
                        partition=0,
                        headers=[(SEQUENCE_HEADER, str(change.sequence).encode())],
                    )
                    for change in changes
                ]
                await asyncio.gather(*sent)
        except BaseException:
            await asyncio.shield(self.close())  # nothing of it arrives after this turn
            raise

    async def _read(self) -> Published:
        """All of the topic, up to its end at the time of asking."""
        topic = Published({}, 0)
        reader = Reader(self._kafka, DEFINITIONS)
        try:
            await reader.start()
            async for record in reader.to_end():
                try:
                    _take(topic, record)
                except Unreadable as error:
                    metrics.DEFINITIONS_UNREADABLE.inc()
                    _log.error("a definition can't be read", offset=record.offset, error=str(error))
        finally:
            await reader.close()
        return topic


def _take(topic: Published, record: Found) -> None:
    """Raises Unreadable, and has changed nothing."""
    if isinstance(record, Unread):
        raise Unreadable(record.why)
    key, entry = catalog.read(record.key, record.value)
    numbers = [_number(value) for name, value in record.headers if name == SEQUENCE_HEADER]
    if entry is None:
        topic.entries.pop(key, None)
    else:
        topic.entries[key] = record.value
    topic.sequence = max([topic.sequence, *numbers])


def _number(header: bytes) -> int:
    """At most 18 figures: a number that Redis can count on from."""
    if not (header.isdigit() and len(header) <= 18):
        raise Unreadable(f"the header {SEQUENCE_HEADER!r} is not a number of a change")
    return int(header)
