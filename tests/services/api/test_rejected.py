"""Refusals are read from the topic, newest first, by those whom they concern, and given again."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from livesegments.api.operations import refusals
from livesegments.core.event import Event
from livesegments.core.fault import Fault
from livesegments.runtime.embedded.stack import Stack
from livesegments.wire import pack
from livesegments.wire.rejected import INTERNAL_FAULT, Rejected, encode
from livesegments.wire.topics import EVENTS, REJECTED, partition_of
from tests.services.api.conftest import Client, settings
from tests.unreadable import BAD, send_batch

Open = Callable[..., Awaitable[Client]]
Refuse = Callable[..., Awaitable[list[int]]]


@pytest.fixture
async def producer(stack: Stack) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        yield producer


@pytest.fixture
async def refuse(api: str, producer: AIOKafkaProducer) -> Refuse:
    """Publishes as ingest does; the offsets."""

    async def publish(workspace: str | None, *raws: bytes, code: str = "missing_field") -> list[int]:
        fault = Fault("/userId", code, "is missing")
        sent = [
            await producer.send(REJECTED, encode(Rejected(workspace, "http", 1_000, [fault], raw, n)))
            for n, raw in enumerate(raws)
        ]
        return [record.offset for record in await asyncio.gather(*sent)]

    return publish


async def read(client: Client, **query: Any) -> Any:
    response = await client.get("/v1/rejected", params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def read_all(client: Client, **query: Any) -> list[str]:
    """The texts of all pages."""
    texts: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = await read(client, **query, **more)
        texts += [each["text"] for each in page["rejected"]]
        if page["next_cursor"] is None:
            return texts
        more = {"cursor": page["next_cursor"]}


async def test_a_key_sees_what_was_refused_of_its_workspace_newest_first(
    shop: Client, open_workspace: Open, refuse: Refuse
) -> None:
    other = await open_workspace()
    first, second = await refuse(shop.workspace, b'{"type":"track"}', b"{}")
    await refuse(other.workspace, b"theirs")
    await refuse(None, b"nobody's")
    page = await read(shop)
    assert page["next_cursor"] is None
    assert [each["id"] for each in page["rejected"]] == [f"0-{second}", f"0-{first}"]
    assert page["rejected"][1] == {
        "id": f"0-{first}",
        "at": page["rejected"][1]["at"],
        "received_at": "1970-01-01T00:00:01.000Z",
        "workspace": shop.workspace,
        "code": "missing_field",
        "reason": "/userId is missing",
        "errors": [{"pointer": "/userId", "code": "missing_field", "message": "is missing"}],
        "source": "http",
        "text": '{"type":"track"}',
        "raw_bytes": 16,
        "partial": False,
        "replayable": False,
    }
    assert await read_all(other) == ["theirs"]


async def test_an_admin_sees_everything_or_one_workspace_even_one_that_does_not_exist(
    boss: Client, shop: Client, refuse: Refuse
) -> None:
    await refuse(shop.workspace, b"of the shop")
    await refuse("nowhere", b"of nowhere")
    await refuse(None, b"of nobody")
    assert (await read_all(boss))[:3] == ["of nobody", "of nowhere", "of the shop"]
    response = await boss.get("/v1/rejected", headers={"X-Workspace": "nowhere"})
    assert {each["workspace"] for each in response.json()["rejected"]} == {"nowhere"}


async def test_no_key_reads_another_workspace(shop: Client, open_workspace: Open, refuse: Refuse) -> None:
    other = await open_workspace()
    (offset,) = await refuse(other.workspace, b"theirs")
    assert (await shop.get("/v1/rejected", headers={"X-Workspace": other.workspace})).status_code == 403
    assert (await shop.get(f"/v1/rejected/0-{offset}")).status_code == 404
    sender = await open_workspace("ingest")
    assert (await sender.get("/v1/rejected")).status_code == 403


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
async def test_pages_give_everything_once(
    shop: Client, refuse: Refuse, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps shorter than the gaps between what fits, so that pages end within and between steps."""
    monkeypatch.setattr(refusals, "STEP", 2)
    monkeypatch.setattr(refusals, "MAX_STEP", 4)
    wanted = [f"mine {number}" for number in range(9)]
    for number, text in enumerate(wanted):
        await refuse(shop.workspace, text.encode())
        await refuse("other", *[b"x"] * (number % 4))
    assert await read_all(shop, limit=limit) == wanted[::-1]


async def test_a_page_reads_no_more_than_its_bound_and_goes_on(
    shop: Client, refuse: Refuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await refuse(shop.workspace, b"long ago")
    await refuse("other", *[b"x"] * 50)
    monkeypatch.setattr(refusals, "STEP", 4)
    monkeypatch.setattr(refusals, "MAX_STEP", 4)
    monkeypatch.setattr(refusals, "MAX_RECORDS", 8)
    page = await read(shop)
    assert page["rejected"] == [] and page["next_cursor"] is not None
    assert await read_all(shop) == ["long ago"]


async def test_by_code_and_by_time(shop: Client, refuse: Refuse) -> None:
    await refuse(shop.workspace, b"a", code="bad_date")
    await refuse(shop.workspace, b"b", code="too_long")
    assert await read_all(shop, code="bad_date") == ["a"]
    assert await read_all(shop, code="no_such_code") == []
    (newest, *_) = (await read(shop))["rejected"]
    assert await read_all(shop, until="2001-01-01T00:00:00Z") == []
    assert await read_all(shop, since="2001-01-01T00:00:00Z") == ["b", "a"]
    assert await read_all(shop, since=newest["at"], code="too_long") == ["b"]
    assert "b" not in await read_all(shop, until=newest["at"])
    assert await read_all(shop, since="2999-01-01T00:00:00Z") == []
    faulty = await shop.get("/v1/rejected", params={"since": "yesterday", "until": "x" * 99})
    assert faulty.status_code == 422
    assert {fault["pointer"] for fault in faulty.json()["errors"]} == {"query: since", "query: until"}
    assert {fault["code"] for fault in faulty.json()["errors"]} == {"bad_date"}


async def test_after_reads_only_what_came_since(shop: Client, refuse: Refuse) -> None:
    await refuse(shop.workspace, b"before")
    latest = (await read(shop))["latest"]
    assert await read_all(shop, after=latest) == []
    await refuse(shop.workspace, b"since")
    assert await read_all(shop, after=latest) == ["since"]


async def test_one_refusal_has_all_its_bytes(shop: Client, refuse: Refuse) -> None:
    raw = "é".encode() * 5_000
    (offset,) = await refuse(shop.workspace, b"x" + raw)
    (listed,) = (await read(shop))["rejected"]
    assert listed["text"] == "x" + "é" * 1_535 and listed["raw_bytes"] == 10_001
    whole = (await shop.get(f"/v1/rejected/{listed['id']}")).json()
    assert b64decode(whole["raw"]) == b"x" + raw and whole["truncated"] is False
    assert listed["id"] == f"0-{offset}"
    assert (await shop.get(f"/v1/rejected/0-{offset + 1_000_000}")).status_code == 404
    assert (await shop.get("/v1/rejected/one")).status_code == 422


async def test_what_is_no_text_and_what_is_not_ours_is_listed_nevertheless(
    stack: Stack, boss: Client, refuse: Refuse, producer: AIOKafkaProducer
) -> None:
    await refuse("shop", b"\xff\xfe")
    for junk in (b"junk", None, b"\xff", b"[" * 100_000, b'{"raw":1}'):
        await producer.send_and_wait(REJECTED, junk, key=b"k")
    fields = msgspec.json.decode(encode(Rejected(None, "http", 10**30, [], b"x")))
    await producer.send_and_wait(REJECTED, msgspec.json.encode(fields | {"raw": "no base64!"}))
    await send_batch(stack.kafka, REJECTED, 0, BAD)
    unread, odd, *junk_read, binary = (await read(boss, limit=8))["rejected"]
    assert unread["code"] == "unreadable" and unread["text"] == ""
    assert odd["text"] is None and odd["code"] == ""
    assert {each["code"] for each in junk_read} == {"unreadable"}
    assert binary["text"] is None and binary["raw_bytes"] == 2


async def test_a_cursor_of_another_list_is_refused(shop: Client) -> None:
    for foreign in ("x", "WzFd", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"):
        response = await shop.get("/v1/rejected", params={"cursor": foreign})
        assert response.status_code == 422, response.text


async def test_what_is_no_id_of_a_refusal_is_said(shop: Client) -> None:
    for response in (
        await shop.get("/v1/rejected/1-2"),
        await shop.get("/v1/rejected", params={"after": "0-"}),
    ):
        assert response.status_code == 422, response.text
        assert response.json()["errors"][0]["message"] == "must be the id of a refusal, as `0-1742`"


async def last_event(stack: Stack, partition: int) -> bytes:
    where = TopicPartition(EVENTS, partition)
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka)
    await consumer.start()
    try:
        consumer.assign([where])
        end = (await consumer.end_offsets([where]))[where]
        consumer.seek(where, end - 1)
        value: bytes = (await consumer.getone(where)).value
        return value
    finally:
        await consumer.stop()


async def test_an_event_that_a_fault_of_ours_kept_back_is_given_again(
    stack: Stack, open_workspace: Open, refuse: Refuse
) -> None:
    shop = await open_workspace("read", "operate")
    event = Event("e-1", shop.workspace, "ann", "Order Placed", 1_700_000_000_000, {"total": 5})
    raw = pack.encode(pack.Packed([event]))
    (offset,) = await refuse(shop.workspace, raw, code=INTERNAL_FAULT)
    (listed,) = (await read(shop, code=INTERNAL_FAULT))["rejected"]
    assert listed["replayable"] and '"name":"Order Placed"' in listed["text"]
    response = await shop.post(f"/v1/rejected/0-{offset}/replay")
    assert response.status_code == 202, response.text
    partition = partition_of(shop.workspace, "ann", settings(stack).partitions)
    told = response.json()
    assert told == {
        "workspace": shop.workspace, "profile": "ann", "event": "e-1", "partition": partition, "offset": told["offset"],
    }  # fmt: skip
    assert await last_event(stack, partition) == raw


async def test_what_its_sender_did_wrong_is_not_given_again(open_workspace: Open, refuse: Refuse) -> None:
    shop, other = await open_workspace("read", "operate"), await open_workspace("operate")
    (refused,) = await refuse(shop.workspace, b"{}")
    (no_event,) = await refuse(shop.workspace, b"a due time", code=INTERNAL_FAULT)
    for offset in (refused, no_event):
        assert (await shop.post(f"/v1/rejected/0-{offset}/replay")).status_code == 409
        assert (await other.post(f"/v1/rejected/0-{offset}/replay")).status_code == 404
    reader = await open_workspace("read")
    assert (await reader.post(f"/v1/rejected/0-{refused}/replay")).status_code == 403
