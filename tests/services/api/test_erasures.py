"""Erasures through the api, with a real evaluator beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from livesegments.core.event import PROFILE
from livesegments.core.fault import Fault
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.wire import pack
from livesegments.wire.rejected import PROFILE_FULL, Rejected, encode
from livesegments.wire.topics import REJECTED
from tests.services.api.conftest import ADMIN_KEY, CITY, Client, emptied, running, settings, until
from tests.services.api.living import START_MS, Shop
from tests.services.evaluator.rig import rig


@pytest.fixture(scope="module")
async def url(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Any]]:
    await emptied(stack)
    folder: Path = tmp_path_factory.mktemp("evaluator")
    async with running(settings(stack)) as address, rig(stack, folder) as evaluation:
        evaluator = evaluation.start(archive_after_s=0.2, checkpoint_every_s=0.5)
        await evaluation.until(evaluator.ready)
        yield address, evaluation


@pytest.fixture
async def shop(url: tuple[str, Any]) -> AsyncIterator[Shop]:
    address, evaluation = url
    async with Client(address, ADMIN_KEY) as boss:
        workspace = (await boss.make("/v1/workspaces", name="shop"))["id"]
    async with Shop(address, ADMIN_KEY, workspace) as client:
        client.headers["X-Workspace"] = workspace
        client.rig = evaluation
        await client.segment("kyiv", CITY)
        await evaluation.send(
            client.event(profile, PROFILE, START_MS, attributes={"city": "Kyiv"})
            for profile in ("ann", "bob")
        )
        await client.settled()
        yield client


async def erase(shop: Shop, profile: str, at_once: bool = False) -> Any:
    answer = await shop.post("/v1/erasures", json={"profile": profile, "at_once": at_once})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def read(shop: Shop, id_: str) -> Any:
    answer = await shop.get(f"/v1/erasures/{id_}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def names(shop: Shop) -> list[str]:
    return await shop.members("kyiv")


async def test_a_person_is_gone_and_the_erasure_says_how_far_it_is(shop: Shop) -> None:
    assert sorted(await names(shop)) == ["ann", "bob"]
    begun = await erase(shop, "ann")
    assert (begun["state"], begun["segments_left"], begun["suppressed"]) == ("erased", 1, True)
    assert begun["archive_at"] is None and begun["due_at"] > begun["requested_at"]
    assert (await shop.get("/v1/profiles/ann")).status_code == 404
    assert await names(shop) == ["bob"]

    again = await erase(shop, "ann", at_once=True)
    assert again["segments_left"] == 0

    async def done() -> bool:
        both = [await read(shop, each["id"]) for each in (begun, again)]
        return all(each["state"] == "done" for each in both)

    await until(done)
    ended = await read(shop, begun["id"])
    assert ended["archive_at"] <= ended["checkpoints_at"] <= ended["names_at"] <= ended["done_at"]


async def test_later_events_are_dropped_until_the_suppression_is_lifted(shop: Shop) -> None:
    erased = await erase(shop, "ann")
    late = shop.event("ann", PROFILE, START_MS + 1, attributes={"city": "Kyiv"})
    await shop.rig.send([late])
    await shop.settled()
    assert await names(shop) == ["bob"]
    assert (await shop.delete(f"/v1/erasures/{erased['id']}")).status_code == 204
    await shop.settled()
    assert (await read(shop, erased["id"]))["suppressed"] is False
    await shop.rig.send([shop.event("ann", PROFILE, START_MS + 2, attributes={"city": "Kyiv"})])
    await shop.settled()
    assert sorted(await names(shop)) == ["ann", "bob"]


async def test_an_erasure_belongs_to_its_workspace(shop: Shop) -> None:
    erased = await erase(shop, "ann")
    async with Client(shop.url, ADMIN_KEY) as boss:
        other = (await boss.make("/v1/workspaces", name="other"))["id"]
        for method in ("GET", "DELETE"):
            answer = await boss.request(
                method, f"/v1/erasures/{erased['id']}", headers={"X-Workspace": other}
            )
            assert answer.status_code == 404, answer.text
        home = erased["id"].partition("-")[0]
        assert (await boss.get(f"/v1/erasures/{home}-0", headers={"X-Workspace": other})).status_code == 404
        beyond = await boss.get("/v1/erasures/99999-0", headers={"X-Workspace": other})
        assert beyond.status_code == 404


async def test_refusals_that_name_the_person_are_not_given_away(shop: Shop, stack: Stack) -> None:
    event = shop.event("ann", "order", START_MS)
    raws = [
        (b'{"userId":"ann","event":7}', "missing_field"),
        (b'{"batch":[{"anonymousId" : "x"}, {"id":"\\u0061nn"', "bad_json"),
        (pack.encode(pack.Packed([event])), PROFILE_FULL),
        (b'{"userId":"bob","event":"annex"}', "missing_field"),
    ]
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        sent = [
            await producer.send_and_wait(
                REJECTED, encode(Rejected(shop.workspace, "http", 1, [Fault("", code, "no")], raw))
            )
            for raw, code in raws
        ]
    assert len((await shop.get("/v1/rejected")).json()["rejected"]) == 4
    await erase(shop, "ann")
    found = (await shop.get("/v1/rejected")).json()["rejected"]
    assert [each["text"] for each in found] == ['{"userId":"bob","event":"annex"}']
    answers = await asyncio.gather(*(shop.get(f"/v1/rejected/0-{each.offset}") for each in sent))
    assert [each.status_code for each in answers] == [404, 404, 404, 200]


async def test_a_profile_is_merged_into_another_by_hand_once(shop: Shop) -> None:
    await shop.segment("fans", type="static")
    put = await shop.post("/v1/segments/fans/members", json={"profiles": ["bob", "mia"]})
    assert put.status_code == 202
    await shop.settled()
    made = await shop.post("/v1/merges", json={"profile": "bob", "into": "ann"})
    assert (made.status_code, made.json()) == (202, {"profile": "bob", "into": "ann"})
    await shop.settled()
    assert (await shop.get("/v1/profiles/bob")).json()["merged_into"] == "ann"
    assert (await shop.get("/v1/segments/kyiv/members")).json()["members"] == ["ann"]
    for profile, into, status in (
        ("bob", "ann", 409),
        ("ann", "bob", 409),
        ("ann", "ann", 422),
        ("cem", "ann", 404),
    ):
        refused = await shop.post("/v1/merges", json={"profile": profile, "into": into})
        assert refused.status_code == status, refused.text
    entries = (await shop.get("/v1/audit?kind=merge")).json()["entries"]
    assert len(entries) == 1 and "bob" not in str(entries)

    async def forgotten() -> bool:
        """By the log, under the other id of the person, too; not only where it is shown. A slow erasure is heard of
        by the next one."""
        await erase(shop, "ann")
        return '"bob"' not in str(await shop.rig.redis.hvals(keys.catalog_audit(shop.workspace)))

    await until(forgotten)
    fans = (await shop.get("/v1/audit?target=fans&action=add_members")).json()["entries"]
    assert [each["profiles"] for each in fans] == [["mia"]]
