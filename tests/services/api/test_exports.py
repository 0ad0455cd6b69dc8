"""Exports: files of a segment's members with chosen values, with a real evaluator beside the api."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pyarrow.parquet as pq
import pytest
from redis.asyncio import Redis

from livesegments.api.web import times
from livesegments.core.event import PROFILE, Event
from livesegments.runtime.embedded.stack import Stack
from livesegments.store.exports import Export, Exports
from tests.services.api.conftest import Client, until
from tests.services.api.living import START_MS, Shop, at_least, live, shop

__all__ = ["live", "shop"]

HOUR_MS = 3_600_000
SPENT = {"name": "order", "window": {"last": "90d"}, "measure": {"of": "sum", "property": "total"}}
ORDERED = {"type": "event", "name": "order", "window": {"last": "30d"}}


class Buyers(Shop):
    """`begun_ms`: when ada ordered."""

    begun_ms: int

    def at(self, hours: int) -> str:
        return times.iso(self.begun_ms + hours * HOUR_MS)


@pytest.fixture
async def filled(shop: Shop) -> AsyncIterator[Buyers]:
    """Ada and bob have ordered, an hour apart; bob's city would be run by a spreadsheet."""
    begun_ms = await at_least(shop, START_MS)  # other tests move the clock of the log
    await shop.segment("buyers", ORDERED)
    assert (await shop.put("/v1/computed-attributes/spent", json=SPENT)).status_code == 200
    await shop.settled()
    ada: dict[str, Any] = {"attributes": {"city": "Kyiv", "age": 36}, "tags_add": ["vip", "a,b"]}
    ada["consent"] = [{"channel": "email", "state": "opted_in"}]
    bob = {"attributes": {"city": "=1+1", "age": -2.5}}
    await shop.rig.send(
        [
            Event("c1", shop.workspace, "ada", PROFILE, begun_ms, ada),
            Event("c2", shop.workspace, "bob", PROFILE, begun_ms, bob),
            shop.event("ada", "order", begun_ms, total=0.1),
            shop.event("bob", "order", begun_ms + HOUR_MS, total=400),
            shop.event("cy", "seen", begun_ms),
        ]
    )
    await shop.settled()
    await shop.ready("buyers")

    async def measured() -> bool:
        found = (await shop.get("/v1/computed-attributes/spent")).json()
        return bool(found["state"] == "ready")

    await until(measured)
    async with Buyers(
        shop.url, shop.headers["Authorization"].removeprefix("Bearer "), shop.workspace
    ) as buyers:
        buyers.rig, buyers.begun_ms = shop.rig, begun_ms
        yield buyers


async def made(shop: Client, **body: Any) -> Any:
    asked = await shop.post("/v1/segments/buyers/exports", json=body)
    assert asked.status_code == 202, asked.text
    return await ended(shop, asked.json()["id"])


async def ended(shop: Client, id_: str) -> Any:
    found: Any = None

    async def is_ended() -> bool:
        nonlocal found
        found = (await shop.get(f"/v1/segments/buyers/exports/{id_}")).json()
        return found["state"] in ("done", "failed")

    await until(is_ended)
    return found


async def file_of(shop: Client, export: Any, **headers: str) -> httpx.Response:
    assert export["state"] == "done", export
    return await shop.get(export["file"], headers=headers)


CHOSEN = {
    "fields": ["city", "age", "computed:spent", "tags"],
    "include": ["tags", "consent", "entered_at", "valid_until"],
}


async def test_a_csv_file_has_every_member_once_and_nothing_that_a_spreadsheet_runs(filled: Buyers) -> None:
    export = await made(filled, **CHOSEN)
    assert (export["rows"], export["progress"], export["building"]) == (2, {"done": 2, "total": 2}, [])
    answer = await file_of(filled, export)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(answer.content) == export["bytes"]
    head, *rows = list(csv.reader(io.StringIO(answer.text)))
    assert head == ["profile", "city", "age", "computed:spent", "attribute:tags", *CHOSEN["include"]]
    granted = '[{"state":"opted_in","channel":"email","topic":null}]'
    assert sorted(rows) == [
        ["ada", "Kyiv", "36", "0.1", "", '["a,b","vip"]', granted, filled.at(0), filled.at(720)],
        ["bob", "'=1+1", "-2.5", "400", "", "[]", "[]", filled.at(1), filled.at(721)],
    ]
    listed = (await filled.get("/v1/segments/buyers/exports")).json()["exports"]
    assert [each["id"] for each in listed] == [export["id"]]


async def test_json_lines_and_parquet_have_the_values_as_they_are(filled: Buyers) -> None:
    lines = (await file_of(filled, await made(filled, format="ndjson", **CHOSEN))).text.splitlines()
    found = {each["profile"]: each for each in map(msgspec.json.decode, lines)}
    assert found["ada"]["fields"] == {"city": "Kyiv", "age": 36, "computed:spent": 0.1}
    assert found["bob"]["fields"] == {"city": "=1+1", "age": -2.5, "computed:spent": 400}
    assert found["ada"]["tags"] == ["a,b", "vip"]
    data = (await file_of(filled, await made(filled, format="parquet", **CHOSEN))).content
    table = pq.read_table(io.BytesIO(data))
    assert str(table.schema.field("age").type) == str(table.schema.field("computed:spent").type) == "double"
    rows = {row["profile"]: row for row in table.to_pylist()}
    assert (rows["bob"]["city"], rows["bob"]["age"], rows["ada"]["tags"]) == ("=1+1", -2.5, '["a,b","vip"]')
    assert times.parse(rows["bob"]["entered_at"].isoformat()) == filled.begun_ms + HOUR_MS


async def test_only_who_entered_or_changed_since(filled: Buyers) -> None:
    async def who(**since: str) -> set[str]:
        answer = await file_of(filled, await made(filled, **since))
        return {row[0] for row in csv.reader(io.StringIO(answer.text))} - {"profile"}

    assert await who(entered_since=filled.at(1)) == {"bob"}
    assert await who(entered_since=filled.at(0)) == {"ada", "bob"}
    at_ms = filled.begun_ms + 2 * HOUR_MS
    moved = Event("c3", filled.workspace, "ada", PROFILE, at_ms, {"attributes": {"age": 37}})
    await filled.rig.send([moved])
    await filled.settled()
    assert await who(updated_since=filled.at(2)) == {"ada"}
    assert await who(updated_since=filled.at(3)) == set()


async def test_a_download_goes_on_where_it_broke_off(filled: Buyers) -> None:
    export = await made(filled, fields=["city"])
    whole = await file_of(filled, export)
    size, tag = len(whole.content), whole.headers["etag"]
    part = await file_of(filled, export, **{"Range": "bytes=5-", "If-Range": tag})
    assert (part.status_code, part.content) == (206, whole.content[5:])
    assert part.headers["content-range"] == f"bytes 5-{size - 1}/{size}"
    for asked, found in (("bytes=2-3", whole.content[2:4]), ("bytes=-4", whole.content[-4:])):
        answer = await file_of(filled, export, Range=asked)
        assert (answer.status_code, answer.content) == (206, found)
    for headers in ({"Range": "bytes=5-", "If-Range": '"other"'}, {"Range": "bytes=1-2,4-5"}):
        answer = await file_of(filled, export, **headers)
        assert (answer.status_code, answer.content) == (200, whole.content)
    behind = await file_of(filled, export, Range=f"bytes={size}-")
    assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{size}")


async def test_a_job_that_a_dead_process_left_is_done_and_one_that_kills_is_given_up(
    filled: Buyers, stack: Stack
) -> None:
    async with Redis.from_url(stack.redis) as redis:
        jobs = Exports(redis)
        for id_, begun in (("left", 1), ("deadly", 5)):
            job = Export(
                filled.workspace, id_, "buyers", "csv", (), (), START_MS, state="running", begun=begun
            )
            await jobs.add(job)
    assert (await ended(filled, "left"))["rows"] == 2
    given_up = await ended(filled, "deadly")
    assert given_up["state"] == "failed" and "5 times" in given_up["error"]
    refused = await filled.get("/v1/segments/buyers/exports/deadly/file")
    assert refused.status_code == 409 and "5 times" in refused.json()["detail"]


async def test_who_is_erased_is_in_no_file_that_can_be_read(filled: Buyers) -> None:
    export = await made(filled, fields=["city"])
    assert (await file_of(filled, export)).status_code == 200
    erased = await filled.post("/v1/erasures", json={"profile": "ada"})
    assert erased.json()["state"] in ("erased", "done"), erased.text
    assert (await file_of(filled, export)).status_code == 410
    assert (await filled.get(f"/v1/segments/buyers/exports/{export['id']}")).status_code == 404
    again = await file_of(filled, await made(filled, fields=["city"]))
    assert "ada" not in again.text and "bob" in again.text


async def test_a_segment_that_is_made_anew_has_no_exports_of_the_one_before(filled: Buyers) -> None:
    export = await made(filled)
    assert (await filled.delete("/v1/segments/buyers")).status_code == 204
    await filled.segment("buyers", {"type": "tag", "name": "nobody"})
    assert (await filled.get(f"/v1/segments/buyers/exports/{export['id']}")).status_code == 404
    assert (await file_of(filled, export)).status_code == 404
    assert (await filled.get("/v1/segments/buyers/exports")).json() == {"exports": []}


async def test_faults_bounds_and_other_workspaces(filled: Buyers, live: tuple[str, Any]) -> None:
    path = "/v1/segments/buyers/exports"
    wrong = await filled.post(path, json={"fields": ["computed:none"]})
    assert [each["code"] for each in wrong.json()["errors"]] == ["unknown_computed_attribute"]
    wrong = await filled.post(path, json={"format": "xls", "include": ["mail"], "entered_since": "soon"})
    assert [each["pointer"] for each in wrong.json()["errors"]] == ["/format", "/include/0", "/entered_since"]
    export = await made(filled)
    async with Redis.from_url(live[1].stack.redis) as redis:
        for number in range(10):
            await Exports(redis).add(
                Export("elsewhere", f"x{number}", "buyers", "csv", (), (), START_MS, state="failed")
            )
        assert len((await filled.get(path)).json()["exports"]) == 1
        for number in range(10):  # too new to be begun by anybody: their turns are taken
            job = Export(filled.workspace, f"w{number}", "buyers", "csv", (), (), START_MS)
            assert await Exports(redis).turn(job).take()
            await Exports(redis).add(job)
        full = await filled.post(path, json={})
        assert (full.status_code, full.json()["errors"][0]["code"]) == (409, "quota_exports")
        for number in range(10):
            assert (await filled.delete(f"{path}/w{number}")).status_code == 204
    assert (await filled.delete(f"{path}/{export['id']}")).status_code == 204
    assert (await filled.get(f"{path}/{export['id']}/file")).status_code == 404
