"""Membership, profiles, and the stream of transitions, with a real evaluator beside the api."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import msgspec
from redis.asyncio import Redis

from livesegments.api.web import times
from livesegments.core.event import PROFILE, Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.wire.topics import partition_of
from tests.services.api.conftest import ADMIN_KEY, CITY, Client, running, settings
from tests.services.api.living import DAY_MS, START_MS, Shop, at_least, live, shop

__all__ = ["live", "shop"]

OPENED = {"type": "event", "name": "opened", "window": {"last": "30d"}}


async def test_a_member_with_its_times(shop: Shop) -> None:
    await shop.segment("openers", OPENED)
    await shop.segment("kyiv", CITY)
    await shop.settled()
    start_ms = await at_least(shop, START_MS)  # other tests move the clock of the log
    change = Event("e1", shop.workspace, "ada", PROFILE, start_ms, {"attributes": {"city": "Kyiv"}})
    await shop.rig.send(
        [change, shop.event("ada", "opened", start_ms + 5), shop.event("bob", "seen", start_ms)]
    )
    await shop.settled()

    assert (await shop.get("/v1/segments/openers/count")).json() == {"count": 1}
    span = {"entered_at": times.iso(start_ms + 5), "valid_until": times.iso(start_ms + 5 + 30 * DAY_MS)}
    assert await shop.members("openers") == ["ada"]
    with_times = (await shop.get("/v1/segments/openers/members", params={"include": "times"})).json()
    assert (with_times["members"], with_times["times"]) == (["ada"], [{"profile": "ada", **span}])
    assert (await shop.get("/v1/segments/openers/members/ada")).json() == {
        "profile": "ada",
        "in": True,
        **span,
    }
    for path in ("segments/openers/count", "segments/openers/members/ada", "profiles/ada"):
        whole = await shop.get(f"/v1/{path}", headers={"X-Workspace": shop.workspace})  # not the shorter road
        assert (await shop.get(f"/v1/{path}")).content == whole.content
    out = {"in": False, "entered_at": None, "valid_until": None}
    for stranger in ("bob", "nobody"):
        answer = await shop.get(f"/v1/segments/openers/members/{stranger}")
        assert answer.json() == {"profile": stranger, **out}
    checked = await shop.post(
        "/v1/segments/openers/members/check", json={"profiles": ["nobody", "ada", "bob", "ada"]}
    )
    assert [(each["profile"], each["in"]) for each in checked.json()["memberships"]] == [
        ("nobody", False),
        ("ada", True),
        ("bob", False),
        ("ada", True),
    ]
    profile = (await shop.get("/v1/profiles/ada")).json()
    assert profile["attributes"] == {"city": "Kyiv"}
    assert profile["segments"] == [
        {"id": "kyiv", "name": "kyiv", "entered_at": times.iso(start_ms), "valid_until": None},
        {"id": "openers", "name": "openers", **span},
    ]


async def test_a_profile_with_everything(shop: Shop) -> None:
    await shop.rig.send(
        [
            Event(
                "e", shop.workspace, "a/b c?", PROFILE, START_MS,
                {
                    "attributes": {"age": 36, "gone": None},
                    "tags_add": ["vip", "new"],
                    "tags_remove": ["old"],
                    "consent": [{"channel": "email", "state": "opted_in"}, {"topic": "news", "state": "none"}],
                    "score": {"set": 7.5},
                    "groups": ["acme"],
                },
            )
        ]
    )  # fmt: skip
    await shop.settled()
    found = await shop.get("/v1/profiles/a%2Fb%20c%3F")
    assert found.status_code == 200, found.text
    assert found.json() == {
        "profile": "a/b c?",
        "attributes": {"age": 36, "score": 7.5, "groups": ["acme"]},
        "tags": ["new", "vip"],
        "consent": [
            {"channel": None, "topic": "news", "state": "none"},
            {"channel": "email", "topic": None, "state": "opted_in"},
        ],
        "groups": ["acme"],
        "score": 7.5,
        "segments": [],
        "computed": {},
        "merged_into": None,
    }


async def test_the_clock_of_the_log_moves_on_request(shop: Shop) -> None:
    await shop.segment("openers", OPENED)
    await shop.settled()
    clock_ms = await at_least(shop, START_MS)
    await shop.rig.send([shop.event("ada", "opened", clock_ms)])
    await shop.settled()
    assert await shop.members("openers") == ["ada"]
    async with Client(shop.url, ADMIN_KEY) as boss:
        moved = await boss.post("/v1/clock", json={"to": clock_ms + 31 * DAY_MS})
        assert moved.status_code == 200 and len(moved.json()["offsets"]) == 8
        assert (await boss.post("/v1/clock", json={"to": "tomorrow"})).status_code == 422
    await shop.settled()
    assert await shop.members("openers") == []
    assert (await shop.get("/v1/segments/openers/members/ada")).json()["in"] is False


async def test_until_when_holds_through_other_segments_and_not(shop: Shop) -> None:
    await shop.segment("openers", OPENED)
    await shop.segment("quiet", {"type": "not", "of": {"type": "segment", "id": "openers"}})
    here = {"type": "attribute", "name": "city", "op": "exists"}
    await shop.segment("quiet-here", {"type": "all", "of": [{"type": "segment", "id": "quiet"}, here]})
    await shop.settled()
    opened_ms = await at_least(shop, START_MS)
    ends = times.iso(opened_ms + 30 * DAY_MS)
    change = Event("e1", shop.workspace, "ada", PROFILE, opened_ms, {"attributes": {"city": "Kyiv"}})
    await shop.rig.send([change, shop.event("ada", "opened", opened_ms)])
    await shop.settled()
    for segment in ("quiet", "quiet-here"):
        told = (await shop.get(f"/v1/segments/{segment}/members/ada")).json()
        assert (told["in"], told["valid_until"]) == (False, ends)
    async with Client(shop.url, ADMIN_KEY) as boss:
        await boss.post("/v1/clock", json={"to": ends})
    await shop.settled()
    spans = (await shop.get("/v1/profiles/ada")).json()["segments"]
    assert [(each["id"], each["entered_at"], each["valid_until"]) for each in spans] == [
        ("quiet", ends, None),
        ("quiet-here", ends, None),
    ]


async def test_a_static_segment_is_filled_and_emptied_by_hand(shop: Shop) -> None:
    made = await shop.segment("newsletter", type="static")
    assert (made["type"], made["definition"]) == ("static", None)
    await shop.segment("readers", {"type": "segment", "id": "newsletter"})
    await shop.settled()
    added = await shop.post(
        "/v1/segments/newsletter/members", json={"profiles": ["ada", "bob", "ada", "eve"]}
    )
    assert (added.status_code, added.json()) == (202, {"accepted": 3})
    await shop.settled()
    assert sorted(await shop.members("newsletter")) == ["ada", "bob", "eve"]
    assert sorted(await shop.members("readers")) == ["ada", "bob", "eve"]
    await shop.post("/v1/segments/newsletter/members/remove", json={"profiles": ["bob"]})
    assert (await shop.delete("/v1/segments/newsletter/members/eve")).status_code == 202
    await shop.settled()
    assert await shop.members("newsletter") == await shop.members("readers") == ["ada"]
    emptied = await shop.put("/v1/segments/newsletter/members", json={"profiles": []})
    (fault,) = emptied.json()["errors"]
    assert (emptied.status_code, fault["pointer"], fault["code"]) == (422, "/profiles", "would_empty")
    everybody = {"segment": "newsletter", "audience": {"include": ["newsletter"]}, "how": "remove"}
    assert "POST /v1/list-jobs" in fault["message"]
    assert (await shop.post("/v1/list-jobs", json=everybody)).json()["removed"] == 1
    await shop.settled()
    assert await shop.members("newsletter") == []
    refused = await shop.post("/v1/segments/readers/members", json={"profiles": ["ada"]})
    assert refused.status_code == 409


async def test_a_static_segment_made_anew_begins_empty_and_its_members_leave_it(shop: Shop) -> None:
    await shop.segment("vips", type="static")
    await shop.segment("watched", {"type": "segment", "id": "vips"})
    await shop.post("/v1/segments/vips/members", json={"profiles": ["mia", "noah"]})
    await shop.settled()
    assert sorted(await shop.members("watched")) == ["mia", "noah"]
    async with shop.stream("GET", "/v1/transitions", params={"segment": "vips"}) as stream:
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith(":")
        await shop.delete("/v1/segments/watched")
        await shop.delete("/v1/segments/vips")
        await shop.segment("vips")
        await shop.delete("/v1/segments/vips")
        await shop.segment("vips", type="static")
        # at once, whether or not the evaluator has heard of the new segment yet
        assert (await shop.get("/v1/segments/vips/count")).json()["count"] == 0
        assert (await shop.get("/v1/segments/vips")).json()["count"] == 0
        assert await shop.members("vips") == []
        await shop.post("/v1/segments/vips/members", json={"profiles": ["zoe"]})
        heard: set[tuple[str, str]] = set()
        async with asyncio.timeout(60):
            while len(heard) < 3:
                async for line in first_data(lines):
                    told = msgspec.json.decode(line[5:])
                    heard.add((told["profile"], told["kind"]))
    assert heard == {("mia", "exited"), ("noah", "exited"), ("zoe", "entered")}
    await shop.settled()
    assert await shop.members("vips") == ["zoe"]


async def test_state_size_and_deletion(shop: Shop) -> None:
    await shop.rig.send([shop.event(f"p{n}", "seen", START_MS) for n in range(50)])
    await shop.settled()
    await shop.segment("everyone", {"type": "not", "of": {"type": "tag", "name": "none"}})
    await shop.segment("nobody", {"type": "tag", "name": "none"})
    await shop.ready("everyone")
    await shop.ready("nobody")
    segment = (await shop.get("/v1/segments/everyone")).json()
    assert segment["count"] == segment["progress"]["done"] == segment["progress"]["total"] == 50
    listed = (
        await shop.get("/v1/segments", params={"sort": "size", "order": "desc", "state": "ready"})
    ).json()
    assert [(each["id"], each["count"]) for each in listed["segments"]] == [("everyone", 50), ("nobody", 0)]
    await shop.delete("/v1/segments/everyone")
    await shop.settled()
    await shop.segment("everyone", {"type": "tag", "name": "none"})
    await shop.ready("everyone")
    assert (await shop.get("/v1/segments/everyone/count")).json() == {"count": 0}


async def test_transitions_are_heard_as_they_happen(shop: Shop) -> None:
    await shop.segment("openers", OPENED)
    await shop.segment("others", {"type": "event", "name": "opened"})
    await shop.settled()
    clock_ms = await at_least(shop, START_MS)
    async with shop.stream("GET", "/v1/transitions", params={"segment": "openers"}) as stream:
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith(":")  # from here on nothing is missed
        await shop.rig.send([shop.event("ada", "opened", clock_ms)])
        async with asyncio.timeout(60):
            heard = [msgspec.json.decode(line[5:]) async for line in first_data(lines)]
    assert [(each["segment"], each["profile"], each["kind"]) for each in heard] == [
        ("openers", "ada", "entered")
    ]


async def test_a_stream_goes_on_where_it_ended(shop: Shop) -> None:
    await shop.segment("openers", OPENED)
    await shop.settled()
    clock_ms = await at_least(shop, START_MS)
    people = [f"p{number}" for number in range(20)]
    async with shop.stream("GET", "/v1/transitions") as stream:
        place = await last_id(stream.aiter_lines(), until="id:")
    await shop.rig.send([shop.event(person, "opened", clock_ms) for person in people[:10]])
    await shop.settled()
    given: list[str] = []
    while len(given) < 20:
        # each stream is left after three events; the events after them are neither lost nor given twice
        async with shop.stream("GET", "/v1/transitions", headers={"Last-Event-ID": place}) as stream:
            assert stream.status_code == 200, place
            if len(given) == 9:
                await shop.rig.send([shop.event(person, "opened", clock_ms) for person in people[10:]])
            async with asyncio.timeout(60):
                lines, taken = stream.aiter_lines(), 0
                while taken < 3 and len(given) < 20:
                    line = await anext(lines)
                    if line.startswith("data:"):
                        given.append(msgspec.json.decode(line[5:])["profile"])
                        place = await last_id(lines, until="id:")
                        taken += 1
    assert sorted(given) == sorted(people)


async def last_id(lines: AsyncIterator[str], until: str) -> str:
    async for line in lines:
        if line.startswith(until):
            return line.removeprefix("id: ")
    raise AssertionError("no id")


async def test_an_id_that_the_stream_can_not_go_on_from_is_told(shop: Shop) -> None:
    for id_, status in (("9999999.0.0.0.0.0.0.0", 410), ("1.2", 422), ("x", 422), ("0" * 2_000, 422)):
        answer = await shop.get("/v1/transitions", headers={"Last-Event-ID": id_})
        assert (answer.status_code, answer.json()["status"]) == (status, status)


async def test_another_time_zone_evaluates_a_workspace_anew(shop: Shop) -> None:
    condition = {"type": "attribute", "name": "day", "op": "after", "value": "2024-01-02"}
    await shop.segment("late", condition)
    await shop.segment("days", {"type": "event", "name": "seen", "measure": {"of": "days"}})
    change = {"attributes": {"day": "2024-01-01T23:30:00Z"}}
    sent_ms = await at_least(shop, START_MS)
    await shop.settled()
    await shop.rig.send(
        [
            Event("e", shop.workspace, "ada", PROFILE, sent_ms, change),
            shop.event("ada", "seen", sent_ms),
        ]
    )
    await shop.settled()
    assert (await shop.members("late"), await shop.members("days")) == ([], ["ada"])
    async with Client(shop.url, ADMIN_KEY) as boss:
        place = f"/v1/workspaces/{shop.workspace}"
        etag = (await boss.get(place)).headers["ETag"]
        body = {"timezone": "Asia/Kolkata", "name": "Kolkata"}
        assert (await boss.patch(place, json=body)).status_code == 428
        assert (await boss.patch(place, json=body, headers={"If-Match": '"7"'})).status_code == 412
        edited = await boss.patch(place, json=body, headers={"If-Match": etag})
        assert edited.status_code == 200, edited.text
        assert {field: edited.json()[field] for field in body} == body
        stale = await boss.patch(place, json={"timezone": "UTC"}, headers={"If-Match": etag})
        assert stale.status_code == 412
        wrong = await boss.patch(place, json={"timezone": "localtime"}, headers={"If-Match": "*"})
        assert wrong.status_code == 422
        assert (await boss.get(place, headers={"If-None-Match": edited.headers["ETag"]})).status_code == 304
    await shop.settled()
    await shop.ready("late")
    await shop.ready("days")
    assert (await shop.members("late"), await shop.members("days")) == (["ada"], ["ada"])
    assert (await shop.get("/v1/segments/days")).json()["complete_since"] is None, "from the archive"


async def test_a_stream_is_told_when_the_api_ends(stack: Stack, shop: Shop) -> None:
    async with httpx.AsyncClient(headers=shop.headers) as client, AsyncExitStack() as streaming:
        async with running(settings(stack)) as url:
            stream = await streaming.enter_async_context(client.stream("GET", f"{url}/v1/transitions"))
            lines = stream.aiter_lines()
            assert (await anext(lines)).startswith(":")
        assert "event: end" in [line async for line in lines]


async def first_data(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        if line.startswith("data:"):
            yield line
            return


async def test_who_is_in_throughout_the_paging_is_given_exactly_once(shop: Shop, stack: Stack) -> None:
    """While others come and go between any two pages, in every partition."""
    await shop.segment("s")
    steady = {f"steady-{n:03d}" for n in range(200)}

    def place(profile: str) -> str:
        return keys.members(partition_of(shop.workspace, profile, 8), shop.workspace, "s")

    def number(profile: str) -> int:
        return zlib.crc32(profile.encode()) + 1

    async with Redis.from_url(stack.redis) as redis:
        for profile in steady:
            await redis.zadd(place(profile), {profile: number(profile)})
        given: list[str] = []
        cursor: dict[str, str] = {}
        for turn in range(1_000):
            page = (await shop.get("/v1/segments/s/members", params={"limit": 7, **cursor})).json()
            assert len(page["members"]) <= 7
            given += page["members"]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
            for n in range(20):
                passing = f"{'az'[turn % 2]}-passing-{n}"
                if turn % 3 == 0:
                    await redis.zrem(place(passing), passing)
                else:
                    await redis.zadd(place(passing), {passing: number(passing)})
    assert sorted(name for name in given if name in steady) == sorted(steady)
