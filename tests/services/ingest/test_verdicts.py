"""The verdicts that senders get: Segment's libraries, our own senders, and producers of topic `inbound`."""

import base64
import json
from typing import Any

import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from livesegments.core.definition import Attribute
from livesegments.ingest import app as ingest
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from livesegments.store import keys
from livesegments.wire import catalog
from livesegments.wire.topics import EVENTS, INBOUND, REJECTED
from tests.services.ingest.rig import events_of, read, read_all

AUTH = ("write", "")
TRACK = {"type": "track", "userId": "mia", "event": "Seen", "messageId": "ajs-1"}
DAY_MS = 86_400_000


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize(
    ("path", "body"),
    [("t", TRACK), ("track", TRACK), ("b", {"batch": [TRACK]}), ("batch", {"batch": [TRACK]})],
)
async def test_a_key_in_the_body_counts_where_no_header_names_one(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], content_type: str
) -> None:
    async def status(key: Any, **more: Any) -> int:
        content = json.dumps(body | ({} if key is None else {"writeKey": key}))
        headers = {"Content-Type": content_type}
        return (await client.post(f"/v1/{path}", content=content, headers=headers, **more)).status_code

    assert [await status(key) for key in ("write", "nobody", "read", "", 7, None)] == [
        200,
        401,
        403,
        401,
        401,
        401,
    ]
    assert await status("write", auth=("nobody", "")) == 401, "the header's is the one that counts"
    assert await status("nobody", auth=AUTH) == 200


async def test_a_key_in_the_body_is_none_for_our_own_events(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/events", json={"profile": "p", "name": "n", "writeKey": "write"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["track", "batch"])
async def test_segments_routes_answer_200_and_success(client: httpx.AsyncClient, path: str) -> None:
    body = TRACK if path == "track" else {"batch": [TRACK]}
    answer = await client.post(f"/v1/{path}", json=body, auth=AUTH)
    assert (answer.status_code, answer.json()) == (
        200,
        {"success": True, "accepted": 1, "rejected": [], "partial": []},
    )


@pytest.mark.parametrize(
    ("path", "body", "auth", "status", "code"),
    [
        ("track", b"{}", AUTH, 422, "missing_field"),
        ("track", b"{}", ("nobody", ""), 401, "unauthorized"),
        ("track", b"{}", ("read", ""), 403, "forbidden"),
        ("track", b"{", AUTH, 422, "bad_json"),
        ("batch", b"{", AUTH, 400, "bad_json"),
        ("batch", b"[]", AUTH, 400, "wrong_type"),
        ("batch", b"{}", AUTH, 400, "missing_field"),
        ("batch", b'{"batch":{}}', AUTH, 400, "wrong_type"),
        ("batch", b'{"batch":[],"batch":[]}', AUTH, 400, "repeated_key"),
        ("track", b"x" * 33_000, AUTH, 413, "request_entity_too_large"),
        ("nothing", b"{}", AUTH, 404, "not_found"),
    ],
)
async def test_errors_carry_a_code_and_a_message_beside_the_problem(
    client: httpx.AsyncClient, path: str, body: bytes, auth: tuple[str, str], status: int, code: str
) -> None:
    answer = await client.post(f"/v1/{path}", content=body, auth=auth)
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"], told["success"]) == (
        status,
        status,
        code,
        False,
    )
    assert told["message"] and told["title"] and told["detail"]
    for library in ("msgspec", "malformed", "Expected", "pydantic"):
        assert library not in answer.text, "messages are ours"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/batch/", 404),
        ("POST", "/v1/track/", 404),
        ("PUT", "/api/v1/customers/5", 404),
        ("GET", "/v1/track", 405),
    ],
)
async def test_who_asks_at_a_path_of_another_product_hears_where_events_go(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, content=b"{}")
    assert answer.status_code == status
    assert "POST /v1/batch" in answer.json()["message"] and "/v1/events" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"profile":"p"}', 422),
        (b'{\n"profile":"p"\n}\n', 422),
        (b"{", 422),
        (b'[{"profile":"p"}]', 202),
        (b'{"profile":"p"}\n{"profile":"p","name":"n"}', 202),
        (b"[]", 202),
        (b'{"profile":"p","name":"n"}', 202),
    ],
)
async def test_one_event_by_itself_that_is_refused_is_a_422(
    client: httpx.AsyncClient, clean_stack: Stack, body: bytes, status: int
) -> None:
    answer = await client.post("/v1/events", content=body, auth=AUTH)
    assert answer.status_code == status
    if status == 422:
        (rejected,) = await read(clean_stack.kafka, REJECTED, 1)
        assert json.loads(rejected.value)["faults"] == answer.json()["errors"]


async def test_what_is_left_out_is_told_kept_and_counted(
    client: httpx.AsyncClient, clean_stack: Stack
) -> None:
    def counted(text: str) -> float:
        name = 'livesegments_ingest_left_out_total{code="wrong_type",source="http"}'
        lines = [line for line in text.splitlines() if line.startswith(name)]
        return float(lines[0].split()[-1]) if lines else 0.0

    before = counted((await client.get("/metrics")).text)
    whole = {"type": "identify", "userId": "w1", "messageId": "m1", "traits": {"email": "w1@ex.org"}}
    odd = {
        "type": "identify",
        "userId": "w2",
        "messageId": "m2",
        "traits": {"email": "w2@ex.org", "companies": [{}]},
    }
    answer = await client.post("/v1/batch", json={"batch": [whole, odd]}, auth=AUTH)
    told = answer.json()
    assert (answer.status_code, told["accepted"], told["rejected"]) == (200, 2, [])
    assert [(part["index"], part["code"]) for part in told["partial"]] == [(1, "wrong_type")]
    found = events_of(await read(clean_stack.kafka, EVENTS, 2))
    assert {event.profile: event.properties for event in found} == {
        "w1": {"attributes": {"email": "w1@ex.org"}},
        "w2": {"attributes": {"email": "w2@ex.org"}},
    }
    (rejected,) = await read(clean_stack.kafka, REJECTED, 1)
    kept = json.loads(rejected.value)
    assert (kept["partial"], kept["workspace"], kept["faults"]) == (
        True,
        "shop",
        told["partial"][0]["errors"],
    )
    assert json.loads(base64.b64decode(kept["raw"])) == odd | {"traits": {"companies": [{}]}}
    assert counted((await client.get("/metrics")).text) == before + 1


async def test_half_an_emoji_loses_neither_its_text_nor_its_batch(
    client: httpx.AsyncClient, clean_stack: Stack
) -> None:
    body = (
        r'{"batch":[{"type":"track","userId":"a","event":"e","messageId":"1","properties":'
        r'{"cut":"x\ud83d","whole":"\ud83d\ude00","text":"\\ud83d","two":"\ud83d\ud83d\ude00\ude00"}}]}'
    )
    answer = await client.post("/v1/batch", content=body, auth=AUTH)
    assert answer.json()["accepted"] == 1
    (event,) = events_of(await read(clean_stack.kafka, EVENTS, 1))
    assert event.properties == {"cut": "x\ufffd", "whole": "😀", "text": "\\ud83d", "two": "\ufffd😀\ufffd"}


async def segments(redis_url: str) -> None:
    """A static segment and a dynamic one, as the api writes them."""
    async with Redis.from_url(redis_url) as redis:
        for id_, definition in (("vips", None), ("active", Attribute("plan", "exists"))):
            segment = catalog.Segment("shop", id_, id_, 1, 1, 0, 0, definition)
            await redis.hset(keys.catalog_segments("shop"), id_, catalog.encode(segment))
        await redis.hset(keys.CATALOG_REVISIONS, "shop", "2")


async def test_a_list_that_is_no_static_segment_is_told(
    client: httpx.AsyncClient, clean_stack: Stack
) -> None:
    async def add(*ids: str, field: str = "lists") -> httpx.Response:
        body = f'{{"profile":"p","{field}":{json.dumps({"add": ids, "remove": ["gone"]})}}}'
        return await client.post("/v1/events", content=body, auth=AUTH)

    assert (await add("vips")).json()["partial"][0]["code"] == "unknown_segment"
    await segments(clean_stack.redis)
    assert (await add("vips")).json()["partial"] == [], "as soon as it is there"
    for field in ("lists", r"l\u0069sts", r"list\u0073"):
        (told,) = (await add("vips", "active", "nothing", field=field)).json()["partial"]
        assert [fault["code"] for fault in told["errors"]] == ["unknown_segment"] * 2
        assert (
            "'active' is a dynamic segment" in told["reason"] and "'nothing' is no segment" in told["reason"]
        )
    found = events_of(await read_all(clean_stack.kafka, EVENTS))
    assert [event.properties.get("lists_add") for event in found] == [None, *[["vips"]] * 4]
    versions = [event.properties.get("lists_versions") for event in found]
    assert versions == [None, *[{"vips": 1}] * 4], (
        "the one that is there now is meant, and none made anew later"
    )
    answer = await client.post("/v1/events", json={"profile": "p", "lists": {"add": ["nothing"]}}, auth=AUTH)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_segment")


async def test_a_setting_takes_lists_that_nobody_knows(settings: Settings, clean_stack: Stack) -> None:
    await segments(clean_stack.redis)
    lenient = msgspec.structs.replace(settings, unknown_lists="accept")
    async with ingest.serving(lenient) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        body = {"profile": "p", "lists": {"add": ["vips", "nothing", "active"]}}
        (told,) = (await client.post("/v1/events", json=body, auth=AUTH)).json()["partial"]
        assert "'active' is a dynamic segment" in told["reason"] and len(told["errors"]) == 1


async def test_the_log_takes_neither_events_without_stamps_nor_stamps_far_beyond_it(
    settings: Settings, clean_stack: Stack
) -> None:
    log = msgspec.structs.replace(settings, clock="log", log_ahead_ms=DAY_MS)
    async with ingest.serving(log) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:

        async def send(time_ms: int | None) -> str:
            body = {"profile": "p", "name": "n"} | ({} if time_ms is None else {"time": time_ms})
            answer = await client.post("/v1/events", json=body, auth=AUTH)
            return "" if answer.status_code == 202 else str(answer.json()["code"])

        first = 1_500_000_000_000
        assert await send(None) == "missing_stamp"
        async with Redis.from_url(clean_stack.redis) as redis:  # as a member that was put on a list makes it
            await redis.hset(keys.head(2), "clock", 0)
        assert await send(100_000_000_000) == "", "as the api's imports stamp rows before the log has a time"
        assert await send(first) == "", "neither is a time of the log"
        assert await send(first + DAY_MS + 1) == "beyond_log"
        assert await send(first + DAY_MS) == "" and await send(first + 2 * DAY_MS) == "", "it goes on"
        assert await send(first - 5 * DAY_MS) == ""
        assert await send(first + 9 * DAY_MS) == "beyond_log"
        async with Redis.from_url(
            clean_stack.redis
        ) as redis:  # as `livesegments clock` makes the evaluators do
            await redis.hset(keys.head(3), "clock", first + 9 * DAY_MS)
        assert await send(first + 9 * DAY_MS) == ""
        for path, body in (("track", TRACK), ("identify", {"userId": "u", "traits": {"a": 1}})):
            answer = await client.post(f"/v1/{path}", json=body, auth=AUTH)
            assert answer.json()["errors"][0] | {"message": ""} == {
                "pointer": "/timestamp",
                "code": "missing_stamp",
                "message": "",
            }
    async with ingest.serving(log) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        assert await send(first + 99 * DAY_MS) == "beyond_log", "known again after a restart"


async def test_inbound_says_what_is_wrong_with_a_record(
    client: httpx.AsyncClient, clean_stack: Stack
) -> None:
    sent = [
        (b"{", "bad_json", "is not JSON: it ends too early"),
        (b"\xff\xfe", "bad_json", "is not JSON at byte 0"),
        (b"", "bad_json", "is not JSON: it is empty"),
        (b"[1]", "wrong_type", "an event is an object"),
        (b'{"profile":"p","name":"n"}', "missing_field", "header or field 'workspace' is missing"),
        (b'{"workspace":7}', "wrong_type", "must be a string"),
        (b'{"workspace":"nowhere"}', "unknown_workspace", "there is no workspace 'nowhere'"),
        (b'{"workspace":"shop","profile":"p","name":"n","name":"m"}', "repeated_key", "stands twice"),
    ]
    producer = AIOKafkaProducer(bootstrap_servers=clean_stack.kafka)
    await producer.start()
    try:
        for value, _, _ in sent:
            await producer.send_and_wait(INBOUND, value, partition=0)
    finally:
        await producer.stop()
    told = [json.loads(record.value) for record in await read(clean_stack.kafka, REJECTED, len(sent))]
    assert [each["faults"][0]["code"] for each in told] == [code for _, code, _ in sent]
    for each, (_, _, reason) in zip(told, sent, strict=True):
        assert reason in each["reason"]
