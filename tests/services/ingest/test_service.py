"""The ingest service on the real broker and the real Redis."""

import asyncio
import base64
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from livesegments.core.declared import Declared
from livesegments.ingest import app as ingest
from livesegments.ingest import consume
from livesegments.ingest.budget import Budget
from livesegments.ingest.inbound import default_id, received
from livesegments.ingest.packer import Busy, Packer
from livesegments.ingest.receipt import Accepted
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from livesegments.store.catalog import Catalog
from livesegments.store.changes import Put
from livesegments.store.client import connect
from livesegments.store.places import put
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import DeclaredField
from livesegments.wire.pack import MAX_EVENTS, decode
from livesegments.wire.topics import EVENTS, INBOUND, REJECTED
from tests.services.ingest.rig import events_of, read


async def test_what_is_accepted_is_in_the_log(client: httpx.AsyncClient, clean_stack: Stack) -> None:
    body = {"userId": "u", "event": "order", "messageId": "1", "properties": {"total": 2}}
    answer = await client.post("/v1/track", json=body, auth=("write", ""))
    assert answer.status_code == 200 and answer.json()["accepted"] == 1
    (event,) = events_of(await read(clean_stack.kafka, EVENTS, 1))
    assert (event.id, event.workspace, event.profile, event.name) == ("1", "shop", "u", "order")


async def test_a_batch_has_a_verdict_for_each_and_order_is_kept(
    client: httpx.AsyncClient, clean_stack: Stack
) -> None:
    lines = [json.dumps({"profile": "p", "name": "n", "id": str(number)}) for number in range(1_200)]
    lines[7] = '{"profile":"p"'
    answer = await client.post(
        "/v1/events", content="\n".join(lines), headers={"Authorization": "Bearer write"}
    )
    assert answer.status_code == 202 and answer.json()["accepted"] == 1_199
    assert [item["index"] for item in answer.json()["rejected"]] == [7]
    records = await read(clean_stack.kafka, EVENTS, 3)
    assert all(len(decode(record.value).events) <= MAX_EVENTS for record in records)  # type: ignore[union-attr]
    assert [event.id for event in events_of(records)] == [str(n) for n in range(1_200) if n != 7]
    (rejected,) = await read(clean_stack.kafka, REJECTED, 1)
    told = json.loads(rejected.value)
    assert base64.b64decode(told["raw"]) == lines[7].encode()
    assert told["workspace"] == "shop" and told["faults"][0]["code"] == "bad_json" and not told["truncated"]


async def test_a_declared_attribute_is_read_as_its_type_over_http_and_from_the_topic(
    client: httpx.AsyncClient, clean_stack: Stack
) -> None:
    async with connect(clean_stack.redis) as redis:
        age = DeclaredField("shop", "age", 1, 0, 0, Declared("number"))

        async def decide(_: Snapshot) -> list[Put]:
            return [put(age)]

        await Catalog(redis).change_lists("shop", decide)
    body = {"userId": "u", "traits": {"age": "42", "size": "42"}}
    assert (await client.post("/v1/identify", json=body, auth=("write", ""))).json()["accepted"] == 1
    odd = [{"profile": "u", "attributes": {"age": "old", "a": 1}}]
    answer = await client.post("/v1/events", json=odd, auth=("write", ""))
    assert answer.json()["accepted"] == 1 and "declared a number" in answer.text
    producer = AIOKafkaProducer(bootstrap_servers=clean_stack.kafka)
    await producer.start()
    try:
        value = json.dumps({"profile": "v", "attributes": {"age": "7"}, "workspace": "shop"}).encode()
        await producer.send_and_wait(INBOUND, value)
    finally:
        await producer.stop()
    found = [event.properties["attributes"] for event in events_of(await read(clean_stack.kafka, EVENTS, 3))]
    assert sorted(found, key=str) == [{"a": 1}, {"age": 42, "size": "42"}, {"age": 7}]


@pytest.mark.parametrize(
    ("path", "auth", "content", "status"),
    [
        ("/v1/track", None, b"{}", 401),
        ("/v1/track", ("nobody", ""), b"{}", 401),
        ("/v1/track", ("read", ""), b"{}", 403),
        ("/v1/track", ("write", ""), b"{}", 422),
        ("/v1/track", ("write", ""), b"{", 422),
        ("/v1/batch", ("write", ""), b"[]", 400),
        ("/v1/track", ("write", ""), b"x" * 33_000, 413),
        ("/v1/batch", ("write", ""), b"x" * 513_000, 413),
        ("/v1/other", ("write", ""), b"{}", 404),
    ],
)
async def test_errors_are_problems(
    client: httpx.AsyncClient, path: str, auth: tuple[str, str] | None, content: bytes, status: int
) -> None:
    answer = await client.request("POST", path, content=content, auth=auth)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status and answer.json()["detail"]


async def test_the_inbound_topic_is_accepted_alike(client: httpx.AsyncClient, clean_stack: Stack) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=clean_stack.kafka)
    await producer.start()
    try:
        home = [("workspace", b"shop")]
        own = json.dumps({"profile": "a", "name": "x"}).encode()
        sent = await producer.send_and_wait(INBOUND, own, headers=home, partition=3)
        spec = {"type": "track", "userId": "b", "event": "x", "workspace": "shop"}
        await producer.send_and_wait(INBOUND, json.dumps(spec).encode())
        await producer.send_and_wait(INBOUND, own, headers=[("workspace", b"nowhere")])
        ce = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"s"), ("ce_type", b"x")]
        await producer.send_and_wait(INBOUND, b"{}", headers=[*ce, ("ce_subject", b"c"), *home])
    finally:
        await producer.stop()
    records = await read(clean_stack.kafka, EVENTS, 3)
    found = {event.profile: event for event in events_of(records)}
    assert found.keys() == {"a", "b", "c"}
    assert found["a"].id == default_id(sent), "the same after a crash: made of where it stands"
    assert found["a"].time_ms == sent.timestamp, "and its time is when the broker took it"
    (rejected,) = await read(clean_stack.kafka, REJECTED, 1)
    assert json.loads(rejected.value)["faults"][0]["code"] == "unknown_workspace"


class Stuck:
    """A log that takes everything and acknowledges nothing."""

    def __init__(self) -> None:
        self.handed_over = asyncio.Event()
        self.acknowledgement: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def send(self, partition: int, value: bytes, timestamp_ms: int) -> asyncio.Future[object]:
        self.handed_over.set()
        return self.acknowledgement


async def test_when_too_much_waits_nothing_more_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livesegments.ingest.packer.MAX_PENDING_BYTES", 100)
    packer = Packer(Stuck(), 1, lambda: 0)
    waiting = asyncio.create_task(packer.put([Accepted("w", "p", b"\x90" * 101)]))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await packer.put([Accepted("w", "p", b"\x90")])
    waiting.cancel()


async def test_a_request_waits_for_its_acknowledgement() -> None:
    log = Stuck()
    packer = Packer(log, 1, lambda: 0)
    waiting = asyncio.create_task(packer.put([Accepted("w", "p", b"\x90")]))
    await log.handed_over.wait()
    assert not waiting.done()
    log.acknowledgement.set_result(None)
    await waiting
    assert packer.pending_bytes == 0


async def test_behind_or_silent_the_broker_is_the_senders_to_hear_of(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"profile": "p", "name": "n", "id": "1"}
    with monkeypatch.context() as forced:
        forced.setattr("livesegments.ingest.packer.BEHIND_S", -1.0)
        answer = await client.post("/v1/events", json=body, auth=("write", ""))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    with monkeypatch.context() as forced:
        forced.setattr("livesegments.ingest.http.ANSWER_S", 0.0)
        answer = await client.post("/v1/events", json=body, auth=("write", ""))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (await client.post("/v1/events", json=body, auth=("write", ""))).status_code == 202


def test_bodies_have_a_bound_together() -> None:
    budget = Budget(10)
    with budget.of(6):
        with pytest.raises(Busy), budget.of(5):
            pass
        with budget.of(4):
            pass
    with budget.of(10):
        pass


async def test_a_crash_before_the_commit_gives_the_same_ids_again(
    settings: Settings, clean_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = asyncio.Event()

    async def crash(_: consume.Reader, ends: dict[TopicPartition, int]) -> None:
        if any(ends.values()):
            taken.set()
            await asyncio.Event().wait()

    producer = AIOKafkaProducer(bootstrap_servers=clean_stack.kafka)
    await producer.start()
    try:
        own = json.dumps({"profile": "a", "name": "x", "workspace": "shop"}).encode()
        sent = await producer.send_and_wait(INBOUND, own, headers=[("empty", None)])
    finally:
        await producer.stop()
    with monkeypatch.context() as forced:
        forced.setattr(consume.Reader, "_commit", crash)
        async with ingest.serving(settings), asyncio.timeout(60):
            await taken.wait()
    async with ingest.serving(settings):
        events = events_of(await read(clean_stack.kafka, EVENTS, 2))
    assert [(event.id, event.time_ms) for event in events] == [(default_id(sent), sent.timestamp)] * 2


def record_at(offset: int, timestamp: int) -> Any:
    return SimpleNamespace(topic=INBOUND, partition=1, offset=offset, timestamp=timestamp)


def test_ids_of_inbound_records_sort_like_their_offsets_and_differ_in_a_topic_made_anew() -> None:
    ids = [default_id(record_at(offset, 1_000)) for offset in (9, 10, 100)]
    assert ids == sorted(ids)
    assert default_id(record_at(9, 2_000)) not in ids


def test_an_inbound_record_is_received_when_the_broker_took_it_but_never_ahead_of_us() -> None:
    assert [received(record_at(0, stamp), 5_000) for stamp in (4_000, 6_000, -1)] == [4_000, 5_000, 5_000]


async def test_half_a_service_ends(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("forced")

    monkeypatch.setattr(consume.Reader, "run", fail)
    with pytest.raises(ExceptionGroup, match="unhandled"):
        async with ingest.serving(settings), asyncio.timeout(60):
            await asyncio.Event().wait()
