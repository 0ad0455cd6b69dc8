"""Subscriptions as a resource: made, read, edited, rotated, deleted; the segments that they hear of stay."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from httpx_sse import aconnect_sse
from redis.asyncio import Redis

from livesegments.core.event import Kind, Transition
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.sealing import Seal
from livesegments.store import keys
from livesegments.store.client import connect
from livesegments.store.lanes import Lanes, LaneWrite
from livesegments.wire import catalog as wire
from livesegments.wire import memberships
from livesegments.wire.attempt import Attempt, Dead, Disabled
from livesegments.wire.subscription import Subscription
from livesegments.wire.topics import MEMBERSHIPS
from tests.services.api.conftest import SECRETS_KEY, Client

HOOK = {"url": "https://hooks.example.com/in"}


async def test_one_is_made_read_edited_and_deleted(shop: Client) -> None:
    await shop.segment("vip")
    made = await shop.make(
        "/v1/subscriptions",
        name="VIP",
        segments=["vip"],
        kinds=["entered"],
        minimum_dwell_s=3_600,
        webhook=HOOK,
    )
    assert made.pop("secret").startswith("whsec_")
    path = f"/v1/subscriptions/{made['id']}"
    read = await shop.get(path)
    assert read.json() == made and read.headers["etag"] == '"1"'
    assert (made["webhook"], made["batch"], made["backfill"]) == (
        HOOK | {"secrets": 1, "template": "transitions", "mapping": None},
        {"max": 1, "within_s": 0},
        False,
    )

    assert (await shop.patch(path, json={"cool_down_s": 60})).status_code == 428
    match = {"If-Match": '"1"'}
    edited = await shop.patch(
        path, json={"cool_down_s": 60, "paused": True, "batch": {"max": 10}}, headers=match
    )
    assert edited.json() | {"updated_at": made["updated_at"]} == made | {
        "cool_down_s": 60, "paused": True, "batch": {"max": 10, "within_s": 0}, "version": 2, "state": "paused",
    }  # fmt: skip
    assert (await shop.patch(path, json={"paused": False}, headers=match)).status_code == 412
    assert (await shop.get("/v1/subscriptions")).json() == {"subscriptions": [edited.json()]}

    refused = await shop.delete("/v1/segments/vip")
    assert refused.status_code == 409 and f"subscription '{made['id']}' (VIP)" in refused.text
    assert (await shop.delete(path)).status_code == 204
    assert (await shop.get(path)).status_code == 404
    assert (await shop.delete("/v1/segments/vip")).status_code == 204


async def _stored(stack: Stack, workspace: str) -> bytes:
    """The only subscription of a workspace as it lies in Redis."""
    async with Redis.from_url(stack.redis) as redis:
        found: dict[Any, Any] = await redis.hgetall(keys.catalog_segments(workspace))
    entry: bytes
    (entry,) = (data for name, data in found.items() if name.startswith(b"subscription:"))
    return entry


async def test_a_secret_is_shown_once_and_rotates(shop: Client, stack: Stack) -> None:
    made = await shop.make("/v1/subscriptions", name="a", webhook=HOOK)
    path = f"/v1/subscriptions/{made['id']}"
    rotated = await shop.make(f"{path}/secrets")
    assert rotated["secret"].startswith("whsec_") and rotated["secret"] != made["secret"]
    read = (await shop.get(path)).text
    assert made["secret"] not in read and rotated["secret"] not in read
    assert (await shop.get(path)).json()["webhook"]["secrets"] == 2
    stored = await _stored(stack, shop.workspace)
    assert made["secret"].encode() not in stored and rotated["secret"].encode() not in stored
    seal = Seal(SECRETS_KEY)
    entry = wire.decode(stored)
    assert isinstance(entry, Subscription) and entry.webhook is not None
    assert [seal.opened(each.secret) for each in entry.webhook.secrets] == [made["secret"], rotated["secret"]]
    pulled = await shop.make("/v1/subscriptions", name="b")
    assert pulled["webhook"] is None and pulled["secret"] is None
    assert (await shop.post(f"/v1/subscriptions/{pulled['id']}/secrets")).status_code == 409


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"segments": ["nowhere"]}, "/segments/0", "unknown_segment"),
        ({"webhook": {"url": "http://127.0.0.1/"}}, "/webhook/url", "bad_url"),
        ({"webhook": {"url": "http://169.254.169.254/latest"}}, "/webhook/url", "bad_url"),
        ({"minimum_dwell_s": 5}, "/webhook", "missing"),
        ({"webhook": HOOK | {"template": "json"}}, "/webhook/mapping", "mapping"),
        (
            {"webhook": HOOK | {"template": "json", "mapping": {"a": ["$profile", "$$x", "$nobody"]}}},
            "/webhook/mapping/a/2",
            "unknown_field",
        ),
        ({"kinds": []}, "/kinds", "wrong_length"),
        ({"minimum_dwell_s": -1}, "/minimum_dwell_s", "out_of_range"),
    ],
)
async def test_faults_are_said_where_they_are(
    shop: Client, body: dict[str, Any], pointer: str, code: str
) -> None:
    refused = await shop.post("/v1/subscriptions", json={"name": "x"} | body)
    assert refused.status_code == 422
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [(pointer, code)]


async def announce(stack: Stack, workspace: str, *ids: str) -> None:
    """`a1` is ann's first transition, `b2` bob's second; odd ones enter."""
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        for each in ids:
            kind: Kind = "entered" if int(each[1:]) % 2 else "exited"
            told = Transition(each, workspace, "vip", each[0], kind, 5, int(each[1:]), "event", None, 1)
            await producer.send_and_wait(MEMBERSHIPS, memberships.encode(told), partition=ord(each[0]) % 8)


async def test_pages_and_a_stream_hear_what_it_hears_and_resume_without_a_gap(
    shop: Client, stack: Stack
) -> None:
    await announce(stack, shop.workspace, "z1")
    made = await shop.make("/v1/subscriptions", name="a", kinds=["entered"])
    path = f"/v1/subscriptions/{made['id']}/transitions"
    await announce(stack, shop.workspace, "a1", "a2", "a3", "b1", "b2")
    await announce(stack, "another", "c1")
    heard, cursor = [], ""
    for _ in range(10):
        page = (await shop.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        heard += [each["id"] for each in page["transitions"]]
        cursor = page["next_cursor"]
        if page["caught_up"]:
            break
    assert sorted(heard) == ["a1", "a3", "b1"] and heard.index("a1") < heard.index("a3")
    await announce(stack, shop.workspace, "a5")
    assert [
        each["id"] for each in (await shop.get(path, params={"cursor": cursor})).json()["transitions"]
    ] == ["a5"]
    assert (await shop.get(path, params={"cursor": "abc"})).status_code == 422

    async with aconnect_sse(shop, "GET", path) as source:
        events = source.aiter_sse()
        first = await anext(events)
        assert first.id
        await announce(stack, shop.workspace, "b4", "b5")
        assert msgspec.json.decode((await anext(events)).data)["id"] == "b5"
    async with aconnect_sse(shop, "GET", path, headers={"Last-Event-ID": first.id}) as source:
        again = [event async for event in limited(source.aiter_sse(), 1)]
    assert [msgspec.json.decode(event.data)["id"] for event in again] == ["b5"]


async def limited(events: Any, most: int) -> Any:
    """Those with data."""
    while most:
        event = await anext(events)
        if event.data:
            most -= 1
            yield event


async def test_what_became_of_messages_is_shown_and_a_range_is_sent_again(shop: Client, stack: Stack) -> None:
    made = await shop.make("/v1/subscriptions", name="a", webhook=HOOK)
    path, id_ = f"/v1/subscriptions/{made['id']}", made["id"]
    assert (await shop.get(f"{path}/attempts")).json() == {"attempts": []}
    dead = Dead(
        "m", 9, 10, [Transition("m", shop.workspace, "vip", "ann", "entered", 5, 1, "event", None, 1)], 500
    )
    write = LaneWrite(
        3, 0, tries=[msgspec.json.encode(Attempt("m", 7, 20, 500))], dead=[msgspec.json.encode(dead)]
    )
    async with connect(stack.redis) as redis:
        lanes = Lanes(redis)
        await lanes.claim(2, "token", "topic")
        assert not await lanes.write(2, shop.workspace, id_, "another", write)
        assert await lanes.write(2, shop.workspace, id_, "token", write)
        await lanes.disable(shop.workspace, id_, msgspec.json.encode(Disabled(0, 9)))
    (attempt,) = (await shop.get(f"{path}/attempts")).json()["attempts"]
    assert (attempt["id"], attempt["ms"], attempt["status"]) == ("m", 20, 500)
    (letter,) = (await shop.get(f"{path}/dead-letters")).json()["dead_letters"]
    assert (letter["attempts"], letter["transitions"][0]["profile"]) == (10, "ann")

    assert (await shop.get(path)).json()["state"] == "disabled"
    enabled = await shop.patch(path, json={"paused": False}, headers={"If-Match": '"1"'})
    assert enabled.json()["state"] == "active"

    await announce(stack, shop.workspace, "a1", "b1")
    wide = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    asked = await shop.post(f"{path}/replays", json=wide)
    assert asked.status_code == 202 and asked.json()["number"] == 1 and asked.json()["records"] >= 2
    backwards = await shop.post(f"{path}/replays", json={"from": wide["to"], "to": wide["from"]})
    assert backwards.status_code == 422
