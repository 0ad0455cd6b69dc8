"""Ids of all sorts in paths, bodies and cursors; what is refused, and in which words."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import pytest
from redis.asyncio import Redis

from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.wire.topics import partition_of
from tests.services.api.conftest import Client

Open = Callable[..., Awaitable[Client]]
ODD = [".", "..", "/", "a/../b", "a/./b/", "//", " a ", "a b", "👩‍👧", "%", "%2F", "%252e", "a?b#c", "é", "+", "a&b=c;d", "check", "remove", "\u3000"]  # fmt: skip


async def raw(url: str, method: str, path: str, key: str) -> tuple[int, bytes]:
    """A request whose path no client has put in order."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {key}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1]), answer


def encoded(id_: str) -> str:
    """As the documentation says: dots, too, because clients take `..` out of paths."""
    return quote(id_, safe="").replace(".", "%2E")


async def put(stack: Stack, workspace: str, segment: str, *profiles: str) -> None:
    async with Redis.from_url(stack.redis) as redis:
        for profile in profiles:
            await redis.zadd(
                keys.members(partition_of(workspace, profile, 8), workspace, segment),
                {profile: zlib.crc32(profile.encode()) + 1},
            )


@pytest.mark.parametrize("id_", ODD)
async def test_an_id_in_a_path_is_that_id(shop: Client, id_: str) -> None:
    await shop.segment("list", type="static")
    key = shop.headers["Authorization"]
    place = f"/v1/segments/list/members/{encoded(id_)}"
    assert (await shop.get(place)).json()["profile"] == id_
    assert (await shop.delete(place)).json() == {"accepted": 1}
    told = (await shop.get(f"/v1/profiles/{encoded(id_)}")).json()["detail"]
    assert told == f"There is no profile '{id_}' here."
    status, answer = await raw(shop.url, "GET", f"/v1/segments/list/members/{quote(id_, safe='.')}", key)
    assert status == 200 and b'"profile":' in answer


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("id_", ["ann%0A", "a%0Ab", "%00", "ann%0D", "a%7F", "a%C2%85", "%FF", "a%ED%A0%80"])
async def test_a_path_with_a_control_character_names_nothing(shop: Client, method: str, id_: str) -> None:
    await shop.segment("list", type="static")
    for path in (f"/v1/segments/list/members/{id_}", f"/v1/profiles/{id_}", f"/v1/segments/{id_}"):
        answer = await shop.request(method, path)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "bad_character"), path


async def test_ids_have_one_limit(shop: Client) -> None:
    await shop.segment("list", type="static")
    for id_, fits in (("a" * 256, True), ("👩" * 256, True), ("a" * 257, False), ("👩" * 257, False)):
        answers = [
            await shop.get(f"/v1/segments/list/members/{quote(id_)}"),
            await shop.post("/v1/segments/list/members", json={"profiles": [id_]}),
            await shop.post("/v1/segments/list/members/check", json={"profiles": [id_]}),
        ]
        for answer in answers:
            assert answer.is_success == fits, answer.text
            if not fits:
                assert answer.json()["errors"][0]["message"] == "has 257 characters; at most 256 are allowed"


async def test_a_cursor_that_was_given_is_taken_back(shop: Client, stack: Stack) -> None:
    """Also of ids that were taken in when more was allowed."""
    await shop.segment("s")
    ids = ["\x01" * 300, "\U0001f469" * 256, "\\" * 256, '"', "a\nb", "~"]
    await put(stack, shop.workspace, "s", *ids)
    given: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await shop.get("/v1/segments/s/members", params={"limit": "1", **cursor})
        assert answer.status_code == 200, answer.text
        given += answer.json()["members"]
        if answer.json()["next_cursor"] is None:
            break
        cursor = {"cursor": answer.json()["next_cursor"]}
    assert sorted(given) == sorted(ids)
    for name in ("ΐ" * 200, "\U0001f469" * 200):
        await shop.make("/v1/segments", name=name, type="static")
    first = (await shop.get("/v1/segments", params={"limit": 2})).json()
    following = await shop.get("/v1/segments", params={"limit": 2, "cursor": first["next_cursor"]})
    assert (following.status_code, len(following.json()["segments"])) == (200, 1)


@pytest.mark.parametrize(
    "text",
    [
        "a\x1b[31mRED",
        "a\u009b31m",
        "tab\t",
        "line\n",
        "\x7f",
        "",
        "   ",
        "\u200b \u2060",
        "\u3164",
        "\U000e0041",
        "a" * 201,
    ],
)
async def test_names_take_no_control_characters(shop: Client, boss: Client, text: str) -> None:
    for client, path, body in (
        (shop, "/v1/segments", {"name": text, "type": "static"}),
        (boss, "/v1/workspaces", {"name": text}),
        (boss, f"/v1/workspaces/{shop.workspace}/keys", {"name": text, "scopes": ["read"]}),
    ):
        answer = await client.post(path, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/name"), answer.text
    tagged = await shop.post("/v1/segments", json={"name": "x", "type": "static", "tags": [text]})
    assert tagged.status_code == 422
    if "\x1b" in text or "\u009b" in text:
        told = await shop.post("/v1/segments", json={"name": "x", "type": "static", "description": text})
        assert told.status_code == 422


async def test_descriptions_have_lines(shop: Client) -> None:
    made = await shop.segment("x", type="static", description="a\n\tb")
    assert made["description"] == "a\n\tb"


WORDS = [
    ("/v1/segments?limit=0", "query: limit", "out_of_range", "must be 1 or more"),
    ("/v1/segments?limit=x", "query: limit", "wrong_type", "must be a whole number"),
    ("/v1/segments?sort=x", "query: sort", "unknown_value", "must be one of 'name', 'created', 'updated' or 'size'"),
    ("/v1/segments?search=" + "x" * 201, "query: search", "too_long", "must have 200 or fewer characters"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "pointer", "code", "message"), WORDS)
async def test_faults_are_told_in_our_words(
    shop: Client, path: str, pointer: str, code: str, message: str
) -> None:
    answer = await shop.get(path)
    assert answer.json()["errors"] == [{"pointer": pointer, "code": code, "message": message}]


@pytest.mark.parametrize(
    "body",
    [
        {"id": "a b", "name": "x", "type": "static"},
        {"id": 1, "name": [], "type": "static", "tags": "vip"},
        {"name": "x", "type": "other", "definition": {}},
        {"name": "x", "type": "static", "definition": {}, "tags": ["a"] * 51, "more": 1},
    ],
)
async def test_no_fault_is_told_in_the_words_of_a_library(shop: Client, body: object) -> None:
    answer = await shop.post("/v1/segments", json=body)
    assert answer.status_code == 422
    for word in ("should", "Input", "String", "Value error", "pattern", "permitted"):
        assert word not in answer.text


async def test_a_search_looks_at_ids_too(shop: Client) -> None:
    await shop.make("/v1/segments", id="vips", name="Best customers", type="static")
    await shop.make("/v1/segments", id="other", name="Others", type="static")
    found = (await shop.get("/v1/segments", params={"search": "VIP"})).json()["segments"]
    assert [each["id"] for each in found] == ["vips"]


async def test_what_is_known_is_not_sent_again(shop: Client) -> None:
    await shop.segment("s", type="static")
    etag = (await shop.get("/v1/segments/s")).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"0", {etag}', "*"):
        answer = await shop.get("/v1/segments/s", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    edit = {"If-Match": etag}
    assert (await shop.patch("/v1/segments/s", json={"name": "new"}, headers=edit)).status_code == 200
    assert (await shop.get("/v1/segments/s", headers={"If-None-Match": etag})).json()["name"] == "new"


@pytest.mark.parametrize(
    "timezone", ["localtime", "posixrules", "Factory", "tzdata.zi", "posix/Europe/Berlin"]
)
async def test_files_beside_the_time_zones_are_no_time_zones(boss: Client, timezone: str) -> None:
    answer = await boss.post("/v1/workspaces", json={"name": "x", "timezone": timezone})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "timezone")


async def test_the_pages_of_the_documentation_need_no_internet(api: str) -> None:
    async with Client(api, None) as browser:
        for page in ("/docs", "/redoc"):
            text = (await browser.get(page)).text
            assert "https://" not in text and "/docs/files/" in text
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"):
            found = await browser.get(f"/docs/files/{name}")
            assert found.status_code == 200 and len(found.content) > 1_000


async def test_a_key_that_stands_twice_is_refused(shop: Client) -> None:
    inner = b'{"type": "tag", "name": "vip", "name": "new"}'
    for body, pointer in (
        (b'{"name": "x", "name": "y", "type": "static"}', "/name"),
        (b'{"name": "x", "definition": ' + inner + b"}", "/definition/name"),
    ):
        answer = await shop.post("/v1/segments", content=body, headers={"Content-Type": "application/json"})
        faults = [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]
        assert (answer.status_code, faults) == (422, [(pointer, "repeated_key")])


async def test_what_holds_for_everyone_is_created_with_a_warning(shop: Client) -> None:
    everyone = {"type": "event", "name": "seen", "op": "gte", "value": 0}
    made = await shop.segment("all", everyone)
    assert [each["pointer"] for each in made["warnings"]][:1] == ["/definition"]
    edited = await shop.patch("/v1/segments/all", json={"name": "new"}, headers={"If-Match": "*"})
    assert edited.json()["warnings"] == made["warnings"]
    assert (await shop.segment("vips", {"type": "tag", "name": "vip"}))["warnings"] == []
    assert "warnings" not in (await shop.get("/v1/segments/all")).json()


async def test_in_a_workspace_whose_weeks_begin_on_sunday_a_week_is_sundays(
    shop: Client, boss: Client
) -> None:
    path, week = f"/v1/workspaces/{shop.workspace}", {"period": "week"}
    found = await boss.get(path)
    assert found.json()["week_start"] == "monday"
    edit = {"If-Match": found.headers["ETag"]}
    assert (await boss.patch(path, json={"week_start": "friday"}, headers=edit)).status_code == 422
    visit = {"type": "event", "name": "visit", "window": week}
    before = await shop.segment("before", visit)
    edited = await boss.patch(path, json={"week_start": "sunday"}, headers=edit)
    assert edited.json()["week_start"] == "sunday"
    after = await shop.segment("after", visit)
    assert before["definition"]["window"] == week
    assert after["definition"]["window"] == {"period": "sunday_week"}


async def test_what_makes_a_body_unreadable_is_named(shop: Client) -> None:
    headers = {**shop.headers, "Content-Type": "application/json"}
    for body, said in (
        (rb'{"values": ["\ud83d"]}', "The body is not JSON: a text in it has a lone surrogate."),
        (b'{"values": ' + b"[" * 5_000, "The body is nested too deep to be read."),
    ):
        answer = await shop.put("/v1/value-lists/a", content=body, headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (400, said)
