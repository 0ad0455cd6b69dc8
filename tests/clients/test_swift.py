"""Segment's Swift library has no registry that a test could fetch it from: so what it sends is replayed here.

Its source (`DirectoryStore` and `HTTPClient` of analytics-swift 1.x) writes events into a file, line by line, between
an opening and an ending that has the write key, and posts the file to `/v1/b` without any authorization.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from livesegments.core.event import PROFILE
from tests.clients import calls
from tests.clients.conftest import Sending

HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "analytics-ios/1.7.3",
    "Accept-Encoding": "gzip",
}


def call(number: int, kind: str, **fields: Any) -> str:
    """As the library's encoder prints an event."""
    event = {
        "type": kind,
        "anonymousId": "0C2E6A2B-4D6C-4B3A-9C55-6A5C6A3F2A11",
        "messageId": f"6F9619FF-8B86-D011-B42D-00C04FC964F{number}",
        "timestamp": "2026-03-01T12:00:00.000Z",
        "userId": "ann",
        "integrations": {},
        "context": {"library": {"name": "analytics-swift", "version": "1.7.3"}, "locale": "de-DE"},
        "_metadata": {"bundled": [], "unbundled": [], "bundledIds": []},
        **fields,
    }
    return json.dumps(event, indent=2)


def body(key: str, *events: str) -> bytes:
    sent_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    first, *others = events
    lines = ['{ "batch": [', first, *("," + each for each in others)]
    return "".join(f"{line}\n" for line in [*lines, f'],"sentAt":"{sent_at}","writeKey":"{key}"}}']).encode()


async def post(sending: Sending, content: bytes) -> httpx.Response:
    async with httpx.AsyncClient(base_url=sending.url, trust_env=False) as client:
        return await client.post("/v1/b", content=content, headers=HEADERS)


async def test_a_file_of_events_arrives_once(sending: Sending) -> None:
    traits = {"email": "ann@example.com", "age": 31, "address": {"city": "Berlin"}, "langs": ["de", "en"]}
    events = (
        call(1, "identify", traits=traits),
        call(2, "track", event="Order Placed", properties=calls.ORDER),
        call(3, "screen", name="Cart", category="Shop", properties={"items": 2}),
        call(4, "group", groupId="initech", traits={"plan": "pro"}),
    )
    answer = await post(sending, body("write", *events))
    assert answer.status_code == 200 and answer.json()["success"] is True
    assert calls.shown(await sending.events()) == [
        (PROFILE, calls.IDENTIFY),
        ("Order Placed", calls.ORDER),
        ("screen", calls.SCREEN),
        (PROFILE, calls.GROUP),
    ]


async def test_a_wrong_key_is_refused_as_such(sending: Sending) -> None:
    answer = await post(sending, body("no-such-key", call(1, "track", event="Seen")))
    assert answer.status_code == 401 and answer.json()["code"] and "key" in answer.json()["message"]
    assert await sending.events() == []
