"""What was acknowledged is in the log, once and in order, whatever dies meanwhile."""

import asyncio
import json
import signal
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from livesegments.ingest import app as ingest
from livesegments.runtime.embedded.kafka import Kafka
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.service import Service
from livesegments.runtime.settings import Settings
from livesegments.runtime.topics import create_topics
from livesegments.wire.topics import EVENTS, INBOUND, INBOUND_GROUP, REJECTED
from tests.services.ingest.rig import events_of, read, read_all, write_catalog
from tests.unreadable import BAD, send_batch

SENDERS = 16
AGAIN_S = 0.1
"""Who was refused asks no sooner again: else the senders, and who refuses them, take the machine from the broker that starts."""


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Kafka]:
    """One that may be killed."""
    async with Kafka(tmp_path / "kafka") as kafka:
        await create_topics(kafka.address, Settings())
        yield kafka


async def started(kafka: str, redis: str, folder: Path) -> Service:
    await write_catalog(redis)
    settings = {"LIVESEGMENTS_KAFKA": kafka, "LIVESEGMENTS_REDIS": redis}
    service = Service("ingest", "livesegments.ingest.app", folder, settings)
    await service.start()
    return service


class Load:
    """Senders, each with a profile of its own: the next event only after the last one is acknowledged, and
    each again until it is, as long as ingest is there."""

    def __init__(self, url: str) -> None:
        self.acknowledged: defaultdict[str, int] = defaultdict(int)
        self.answers: defaultdict[int, int] = defaultdict(int)
        self.ending = False
        self._answered = asyncio.Event()
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30.0, auth=("write", ""))
        self._tasks = [asyncio.create_task(self._send(f"p{number}")) for number in range(SENDERS)]

    async def _send(self, profile: str) -> None:
        while not self.ending:
            number = self.acknowledged[profile]
            item = {"profile": profile, "name": "n", "id": str(number)}
            try:
                answer = await self._http.post("/v1/events", json=item)
            except httpx.TransportError:
                return
            self.answers[answer.status_code] += 1
            self._answered.set()
            if answer.status_code == 202:
                self.acknowledged[profile] += 1
            else:
                assert answer.status_code in (429, 503), answer.text
                await asyncio.sleep(AGAIN_S)

    async def until(self, answers: int, status: int = 202) -> None:
        """That many more of this status."""
        wanted = self.answers[status] + answers
        async with asyncio.timeout(60):
            while self.answers[status] < wanted:
                self._answered.clear()
                await self._answered.wait()

    async def end(self) -> None:
        self.ending = True
        await asyncio.gather(*self._tasks)
        await self._http.aclose()

    async def check(self, kafka: str) -> None:
        """The first of each id, in the log's order, is 0, 1, 2 …, and all that were acknowledged are there."""
        found: defaultdict[str, dict[int, None]] = defaultdict(dict)
        for event in events_of(await read_all(kafka, EVENTS)):
            found[event.profile].setdefault(int(event.id))
        assert len(self.acknowledged) == SENDERS
        for profile, count in self.acknowledged.items():
            numbers = [*found[profile]]
            assert numbers == [*range(len(numbers))], profile
            assert count <= len(numbers) <= count + 1, profile


async def test_sigterm_under_load_loses_nothing_acknowledged(clean_stack: Stack, tmp_path: Path) -> None:
    service = await started(clean_stack.kafka, clean_stack.redis, tmp_path)
    load = Load(service.url)
    await load.until(500)
    assert service.child is not None
    service.child.signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        assert await service.child.wait() == 0
    await load.end()
    await load.check(clean_stack.kafka)


async def test_a_broker_that_dies_and_comes_back_loses_nothing_and_keeps_the_order(
    broker: Kafka, clean_redis: str, tmp_path: Path
) -> None:
    service = await started(broker.address, clean_redis, tmp_path / "ingest")
    try:
        load = Load(service.url)
        await load.until(500)
        await broker.kill()
        await load.until(1, 429)
        await broker.restart()
        await load.until(500)
        await load.end()
        await load.check(broker.address)
    finally:
        await service.stop()


async def test_a_broker_that_is_away_does_not_keep_it_from_ending(
    broker: Kafka, clean_redis: str, tmp_path: Path
) -> None:
    service = await started(broker.address, clean_redis, tmp_path / "ingest")
    load = Load(service.url)
    await load.until(100)
    await broker.kill()
    await load.until(1, 429)
    assert service.child is not None
    service.child.signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        assert await service.child.wait() == 0
    await load.end()


async def test_nothing_on_the_inbound_topic_stops_what_is_behind_it(
    clean_stack: Stack, tmp_path: Path
) -> None:
    """Tombstones, strange headers, what is no JSON, what is as large as a record can be."""
    home: list[tuple[str, bytes | None]] = [("workspace", b"shop")]
    large = b'{"profile":"p","name":"n","properties":{"x":"%s"}}' % (b"y" * 1_000_000)
    strange: list[tuple[bytes | None, list[tuple[str, bytes | None]]]] = [
        (None, []),
        (None, home),
        (b"", home),
        (b"\xff\x00", home),
        (b"{", [("workspace", b"\xff\xfe")]),
        (b"{}", [("workspace", b"x" * 100_000)]),
        (b'{"profile":"p","name":"n"}', [*home, ("content-type", b"application/cloudevents+json")]),
        (b'{"profile":"p","name":"n"}', [("ce_specversion", None), *home]),
        (b'{"profile":"p","name":"n"}', [*home, *((f"ce_{n}", b"\xff" * 100) for n in range(3_000))]),
        (b"{}", [("ce_specversion", b"1.0"), ("ce_id", b"x" * 500_000), *home]),
        (large, home),
        (large, []),
        (b"[" * 900_000, home),
        (b'{"workspace":%s}' % (b"[" * 900_000), []),
        (b'{"workspace":"\\ud800","profile":"p","name":"n"}', []),
        (b'{"workspace":7}', []),
    ]
    producer = AIOKafkaProducer(bootstrap_servers=clean_stack.kafka, max_request_size=2_000_000)
    await producer.start()
    try:
        for value, headers in strange:
            await producer.send_and_wait(INBOUND, value, key=b"k", headers=headers, partition=0)
        last = json.dumps({"profile": "last", "name": "n"}).encode()
        await producer.send_and_wait(INBOUND, last, headers=home, partition=0)
    finally:
        await producer.stop()
    service = await started(clean_stack.kafka, clean_stack.redis, tmp_path)
    try:
        pid = service.pid
        # at least once each: a verdict that is not known to be kept is written again
        sources: set[str] = set()
        accepted: set[str] = set()
        async with asyncio.timeout(60):
            while len(sources) < len(strange) - 1 or "last" not in accepted:
                rejected = await read_all(clean_stack.kafka, REJECTED)
                sources = {json.loads(record.value)["source"] for record in rejected}
                accepted = {event.profile for event in events_of(await read_all(clean_stack.kafka, EVENTS))}
        assert service.child is not None and (service.pid, service.child.ended) == (pid, None)
    finally:
        await service.stop()
    harmless = next(offset for offset, (_, headers) in enumerate(strange) if len(headers) > 1_000)
    assert sources == {f"{INBOUND}/0/{offset}" for offset in range(len(strange)) if offset != harmless}
    accepted = {event.profile for event in events_of(await read_all(clean_stack.kafka, EVENTS))}
    assert accepted == {"p", "last"}


async def test_a_record_that_no_one_can_read_is_told_and_passed_over(
    settings: Settings, clean_stack: Stack
) -> None:
    """One lies amid a batch, one is a batch of its own, one is alone in another partition."""

    def event(number: int) -> bytes:
        return json.dumps({"profile": f"p{number}", "name": "n", "workspace": "shop"}).encode()

    producer = AIOKafkaProducer(bootstrap_servers=clean_stack.kafka)
    await producer.start()
    try:
        await producer.send_and_wait(INBOUND, event(0), partition=0)
        for partition, batch in (
            (0, [(event(1), []), BAD, (event(2), [])]),
            (0, [BAD]),
            (0, [(event(3), [])]),
            (5, [BAD]),
            (5, [(event(4), [])]),
        ):
            await send_batch(clean_stack.kafka, INBOUND, partition, *batch)
    finally:
        await producer.stop()
    async with ingest.serving(settings), asyncio.timeout(60):
        accepted: set[str] = set()
        while len(accepted) < 4:
            accepted = {event.profile for event in events_of(await read_all(clean_stack.kafka, EVENTS))}
        assert accepted == {"p0", "p1", "p3", "p4"}
        told = [json.loads(record.value) for record in await read(clean_stack.kafka, REJECTED, 4)]
    assert {each["source"] for each in told} == {f"{INBOUND}/{at}" for at in ("0/2", "0/3", "0/4", "5/0")}
    assert {each["faults"][0]["code"] for each in told} == {"unreadable"}


async def test_records_of_every_compression_are_taken(settings: Settings, clean_stack: Stack) -> None:
    codecs = ("gzip", "snappy", "lz4", "zstd")
    for codec in codecs:
        async with AIOKafkaProducer(bootstrap_servers=clean_stack.kafka, compression_type=codec) as producer:
            value = json.dumps(
                {"profile": codec, "name": "n", "workspace": "shop", "properties": {"x": "y" * 500}}
            )
            await producer.send_and_wait(INBOUND, value.encode())
    taken: set[str] = set()
    async with ingest.serving(settings), asyncio.timeout(60):
        while taken != set(codecs):
            taken = {event.profile for event in events_of(await read_all(clean_stack.kafka, EVENTS))}
    assert await read_all(clean_stack.kafka, REJECTED) == []


async def test_what_an_upstream_transaction_took_back_never_happened(
    settings: Settings, clean_stack: Stack
) -> None:
    """Its offsets are committed, too: else they would look like records to come for ever."""
    producer = AIOKafkaProducer(bootstrap_servers=clean_stack.kafka, transactional_id=f"t-{uuid4()}")
    await producer.start()
    inbound = TopicPartition(INBOUND, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=clean_stack.kafka, group_id=INBOUND_GROUP)
    try:
        for profile, happens in (
            ("kept", True),
            ("taken back", False),
            ("kept, too", True),
            ("this, too", False),
        ):
            await producer.begin_transaction()
            value = json.dumps({"profile": profile, "name": "n", "workspace": "shop"}).encode()
            await producer.send_and_wait(INBOUND, value, partition=0)
            await (producer.commit_transaction() if happens else producer.abort_transaction())
        await consumer.start()
        async with ingest.serving(settings), asyncio.timeout(60):
            (end,) = (await consumer.end_offsets([inbound])).values()
            assert end == 8
            while await consumer.committed(inbound) != end:
                pass
        accepted = [event.profile for event in events_of(await read_all(clean_stack.kafka, EVENTS))]
        assert sorted(accepted) == ["kept", "kept, too"]
    finally:
        await producer.stop()
        await consumer.stop()
