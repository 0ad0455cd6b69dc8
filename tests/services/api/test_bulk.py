"""Imports and mass jobs on the real api, ingest and evaluator: looked at, started; each profile once, whatever
dies."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from livesegments.api.imports import imports
from livesegments.api.imports import work as import_work
from livesegments.api.web import inbound
from livesegments.ingest import app as ingest
from livesegments.runtime.embedded.stack import Stack
from tests.services.api.conftest import ADMIN_KEY, Client, running, settings, until
from tests.services.api.living import Shop, live, shop
from tests.services.evaluator.rig import Rig

__all__ = ["live", "shop"]

FILE = (
    b"Mail;Age;City;Note;News\n"
    b"Ann@example.com;42;Kyiv;;\n"
    b"bob@example.com;old;Kyiv;=1+1;yes\n"
    b"cy@example.com;7;L\xfcbeck;fine;No\n"
    b"no address;9;Kyiv;x;perhaps\n"
    b"dee@example.com;30;Lviv\n"
)
PLAN: dict[str, Any] = {
    "id_column": "Mail",
    "by_email": True,
    "columns": [
        {"column": "Age", "attribute": "age", "type": "number"},
        {"column": "City", "attribute": "city"},
        {"column": "Note", "to": "tags"},
        {"column": "News", "to": "consent", "channel": "email", "topic": "news"},
    ],
}


@pytest.fixture(scope="module", autouse=True)
async def taking(live: tuple[str, Rig]) -> AsyncIterator[None]:
    """Ingest beside the api and the evaluator."""
    async with ingest.serving(settings(live[1].stack)):
        yield


async def sent(shop: Client, data: bytes, size: int = 1 << 20, **form: Any) -> str:
    """The path of an import whose file was sent in parts."""
    made = await shop.make("/v1/imports", file_name="people.csv", **form)
    path = f"/v1/imports/{made['id']}"
    for at in range(0, len(data), size):
        answer = await shop.put(f"{path}/file", params={"offset": at}, content=data[at : at + size])
        assert (answer.status_code, answer.json()["bytes"]) == (200, min(at + size, len(data)))
    return path


async def done(shop: Client, path: str) -> Any:
    async def ended() -> bool:
        return bool((await shop.get(path)).json()["state"] in ("done", "failed"))

    await until(ended)
    return (await shop.get(path)).json()


async def has(shop: Shop, segment: str, *profiles: str) -> None:
    async def so() -> bool:
        return sorted(await shop.members(segment)) == sorted(profiles)

    await until(so)


async def test_a_file_is_looked_at_and_its_rows_go_into_a_new_segment(shop: Shop) -> None:
    path = await sent(shop, FILE, size=25)
    found = (await shop.post(f"{path}/columns")).json()
    assert (found["encoding"], found["delimiter"]) == ("windows-1252", ";")
    assert [(each["name"], each["type"]) for each in found["columns"]] == [
        ("Mail", "text"),
        ("Age", "text"),
        ("City", "text"),
        ("Note", "text"),
        ("News", "text"),
    ]
    assert found["columns"][2]["samples"] == ["Kyiv", "Lübeck"]
    looked = (await shop.post(f"{path}/check", json=PLAN)).json()
    assert (looked["rows"], looked["accepted"], looked["refused"], looked["whole"]) == (5, 2, 3, True)
    assert looked["preview"][0] == {
        "profile": "ann@example.com",
        "attributes": {"email": "Ann@example.com", "age": 42, "city": "Kyiv"},
        "tags": [],
        "consent": [],
    }
    no = [{"state": "opted_out", "channel": "email", "topic": "news"}]
    assert looked["preview"][1]["consent"] == no
    faults = [(each["row"], each["column"]) for each in looked["faults"]]
    assert faults == [(2, "Age"), (4, "Mail"), (4, "News"), (5, "")]
    assert (await shop.get("/v1/profiles/ann@example.com")).status_code == 404, "nothing was done yet"

    started = await shop.post(f"{path}/start", json={**PLAN, "new_segment": "Spring fair"})
    assert started.status_code == 202, started.text
    made = await done(shop, path)
    assert (made["state"], made["total"], made["accepted"], made["refused"]) == ("done", 5, 2, 3)
    await has(shop, made["segment"], "ann@example.com", "cy@example.com")
    cy = (await shop.get("/v1/profiles/cy@example.com")).json()
    assert cy["attributes"] == {"email": "cy@example.com", "age": 7, "city": "Lübeck"}
    assert cy["tags"] == ["fine"] and cy["consent"] == no

    refused = await shop.get(made["refused_file"])
    assert refused.headers["content-type"] == "text/csv; charset=utf-8"
    head, bob, nobody, dee = csv.reader(io.StringIO(refused.text))
    assert head == ["row", "reason", "Mail", "Age", "City", "Note", "News"]
    assert bob[0] == "2" and bob[1].startswith("Age: must be a number") and bob[5] == "'=1+1"
    assert nobody[1].startswith("Mail: is no e-mail address; News: must be opted_in, opted_out")
    assert dee[1] == "has 3 cells, and the header names 5 columns"
    noted = (await shop.get("/v1/audit", params={"kind": "import"})).json()["entries"]
    assert [(each["action"], each["target"]) for each in noted] == [("start", made["id"])]
    assert (await shop.post(f"{path}/start", json=PLAN)).status_code == 409
    assert (await shop.delete(path)).status_code == 204
    assert (await shop.get(made["refused_file"])).status_code == 404


async def test_declared_fields_and_existing_segments(shop: Shop) -> None:
    await shop.segment("fans", type="static")
    await shop.segment("moving")
    declared = await shop.put("/v1/fields/plan", json={"type": "text", "choices": ["pro"]})
    assert declared.is_success, declared.text
    path = await sent(shop, b"id,plan\nann,pro\nbob,gold\n")
    plan = {"id_column": "id", "columns": [{"column": "plan"}], "segment": "fans"}
    assert (await shop.post(f"{path}/columns")).json()["columns"][1]["declared"] == "text"
    looked = (await shop.post(f"{path}/check", json=plan)).json()
    assert looked["reasons"] == [{"column": "plan", "code": "unknown_choice", "rows": 1}]
    for wrong, status in (("moving", 409), ("none", 404)):
        assert (await shop.post(f"{path}/start", json={**plan, "segment": wrong})).status_code == status
    assert (await shop.post(f"{path}/start", json=plan)).status_code == 202
    assert (await done(shop, path))["accepted"] == 1
    await has(shop, "fans", "ann")


async def test_what_is_wrong_with_a_request(shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await sent(shop, FILE)
    assert (await shop.put(f"{path}/file", params={"offset": 5}, content=b"x")).status_code == 409
    assert (await shop.put(f"{path}/file", content=b"")).status_code == 400
    monkeypatch.setattr(imports, "PART_BYTES", 10)
    assert (
        await shop.put(f"{path}/file", params={"offset": len(FILE)}, content=b"x" * 11)
    ).status_code == 413
    wrong = {
        "id_column": "Nobody",
        "columns": [
            {"column": "City", "attribute": "tags"},
            {"column": "Age", "attribute": "x", "type": "date", "format": "YY"},
            {"column": "Note", "attribute": "x"},
            {"column": "News", "to": "consent"},
            {"column": "News", "to": "consent", "channel": "email"},
            {"column": "News", "to": "consent", "channel": "email"},
            {"column": "News", "to": "tags", "topic": "news"},
        ],
    }
    answer = await shop.post(f"{path}/check", json=wrong)
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        ("/id_column", "unknown_column"),
        ("/columns/0/attribute", "reserved_name"),
        ("/columns/1/format", "bad_format"),
        ("/columns/2/attribute", "taken"),
        ("/columns/3", "missing_field"),
        ("/columns/5", "taken"),
        ("/columns/6", "conflict"),
    ]
    empty = (await shop.make("/v1/imports"))["id"]
    assert "no file yet" in (await shop.post(f"/v1/imports/{empty}/columns")).json()["detail"]
    assert (await shop.post("/v1/imports/none/check", json={})).status_code == 404
    assert (await shop.get(f"{path}/refused")).status_code == 409


async def test_rows_that_are_refused_on_their_way_are_in_the_file_too(shop: Shop) -> None:
    """By the evaluator, because a profile would have more tags than it may; by ingest, because the workspace has its
    quota of profiles."""
    full = [";".join(f"t{part}-{number}" for number in range(900)) for part in range(3)]
    data = "id,n,tags\n" + "".join(f"full,{part},{tags}\n" for part, tags in enumerate(full)) + "full,x,y\n"
    path = await sent(shop, data.encode())
    columns = [{"column": "n", "type": "number"}, {"column": "tags", "to": "tags"}]
    plan = {"id_column": "id", "columns": columns}
    assert (await shop.post(f"{path}/start", json=plan)).status_code == 202
    made = await done(shop, path)
    assert (made["state"], made["total"], made["accepted"], made["refused"]) == ("done", 4, 2, 2)
    _, third, fourth = csv.reader(io.StringIO((await shop.get(made["refused_file"])).text))
    assert third[0] == "3" and "tags" in third[1] and third[2:] == ["full", "2", full[2]]
    assert fourth[0] == "4" and fourth[1].startswith("n: must be a number")
    known = (await shop.get("/v1/profiles/full")).json()
    assert (known["attributes"], len(known["tags"])) == ({"n": 1}, 1_800), "done: all of it is applied"

    async with Client(shop.url, ADMIN_KEY) as boss:
        own = f"/v1/workspaces/{shop.workspace}"
        etag = (await boss.get(own)).headers["etag"]
        quota = await boss.patch(own, json={"quotas": {"profiles": 1}}, headers={"If-Match": etag})
        assert quota.is_success, quota.text
    found: list[Any] = []

    async def refused() -> bool:  # ingest knows the number of profiles as it was a second ago
        rows = f"id,n\nfull,7\nnew-{len(found)},8\n".encode()
        again = await sent(shop, rows)
        body = {**plan, "columns": columns[:1]}
        assert (await shop.post(f"{again}/start", json=body)).status_code == 202
        found.append(await done(shop, again))
        return bool(found[-1]["refused"] == 1)

    await until(refused)
    _, new = csv.reader(io.StringIO((await shop.get(found[-1]["refused_file"])).text))
    assert new[0] == "2" and "quota of 1 profiles" in new[1] and new[3] == "8"


async def test_an_import_under_way_is_cancelled_and_a_dead_apis_goes_on(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two processes of the api; the first one stops over an import."""
    monkeypatch.setattr(import_work, "PIECE", 1)
    own = replace(settings(stack), imports=str(tmp_path))
    reached = asyncio.Event()
    send = inbound.Inbound.send

    async def stuck(self: Any, workspace: str, changes: Any) -> None:
        if not reached.is_set() and changes and changes[0]["id"].endswith("-000000002"):
            reached.set()
            await asyncio.Event().wait()
        await send(self, workspace, changes)

    monkeypatch.setattr(inbound.Inbound, "send", stuck)
    async with running(own) as first, Client(first, ADMIN_KEY) as boss:
        workspace = (await boss.make("/v1/workspaces", name="two"))["id"]
        boss.headers["X-Workspace"] = workspace
        path = await sent(boss, b"id,a\np1,x\np2,x\np3,x\n")
        body = {"id_column": "id", "columns": [{"column": "a"}]}
        assert (await boss.post(f"{path}/start", json=body)).status_code == 202
        await reached.wait()
        assert (await boss.get(path)).json()["state"] == "running"
    async with running(own) as second, Client(second, ADMIN_KEY) as boss:
        boss.headers["X-Workspace"] = workspace
        made = await done(boss, path)
        assert (made["state"], made["accepted"]) == ("done", 3)
        other = await sent(boss, b"id\np1\n")
        assert (await boss.delete(other)).status_code == 204
    assert await asyncio.to_thread(lambda: list(tmp_path.glob("*/*"))) == [], "no part of a file is left"


async def counted(shop: Client, **job: Any) -> dict[str, Any]:
    """The job with its token."""
    answer = await shop.post("/v1/mass-jobs/count", json=job)
    assert answer.status_code == 200, answer.text
    return {**job, "confirm": answer.json()["confirm"]}


async def begun(shop: Client, **job: Any) -> Any:
    """As it is when it has ended."""
    answer = await shop.post("/v1/mass-jobs", json=await counted(shop, **job))
    assert answer.status_code == 202, answer.text
    return await done(shop, f"/v1/mass-jobs/{answer.json()['id']}")


async def profile_is(shop: Shop, id_: str, **wanted: Any) -> None:
    async def so() -> bool:
        answer = await shop.get(f"/v1/profiles/{id_}")
        return answer.is_success and {name: answer.json()[name] for name in wanted} == wanted

    await until(so)


async def test_a_segments_profiles_are_changed_reset_and_deleted(shop: Shop) -> None:
    await shop.segment("fans", type="static")
    path = await sent(shop, b"id,plan\n" + b"".join(b"p%d,free\n" % at for at in range(5)))
    plan = {"id_column": "id", "columns": [{"column": "plan"}], "segment": "fans"}
    assert (await shop.post(f"{path}/start", json=plan)).status_code == 202
    await has(shop, "fans", *(f"p{at}" for at in range(5)))
    fans = {"include": ["fans"]}

    change = {"attributes": {"plan": "pro", "gone": None}, "tags": {"add": ["vip"]}}
    job = await begun(shop, action="update", audience=fans, **change)
    assert (job["state"], job["done"], job["total"], job["audience"]["include"]) == ("done", 5, 5, ["fans"])
    await profile_is(shop, "p3", attributes={"plan": "pro"}, tags=["vip"])
    job = await begun(shop, action="reset_score", reason="new season", profiles=["p1", "p1", "p2"])
    assert (job["done"], job["audience"]) == (2, None)
    await profile_is(shop, "p1", score=0)
    assert (await shop.get("/v1/profiles/p3")).json()["score"] is None

    job = await begun(shop, action="delete", audience=fans)
    assert (job["state"], job["done"]) == ("done", 5)
    await has(shop, "fans")
    assert (await shop.get("/v1/profiles/p1")).status_code == 404
    back = {"action": "update", "profiles": ["p1"], "attributes": {"plan": "new"}}

    async def comes_back() -> bool:  # what is said before its erasure is lifted is dropped
        assert (await begun(shop, **back))["state"] == "done"
        return (await shop.get("/v1/profiles/p1")).is_success

    await until(comes_back)
    noted = (await shop.get("/v1/audit", params={"kind": "mass_job", "limit": 100})).json()["entries"]
    assert [each["note"] for each in noted[-3:]] == [
        "delete: 5 profiles of fans",
        "reset_score: 2 profiles of a list of ids (new season)",
        "update: 5 profiles of fans",
    ]


async def test_nothing_begins_but_what_was_confirmed(shop: Shop) -> None:
    await shop.segment("some", type="static")
    job = {"action": "delete", "audience": {"include": ["some"]}}
    token = await counted(shop, **job)

    async def refused(**asked: Any) -> str:
        answer = await shop.post("/v1/mass-jobs", json=asked)
        assert answer.status_code == 409, answer.text
        return str(answer.json()["detail"])

    assert "used up" in await refused(**job, confirm="another")
    assert "of another job" in await refused(**{**token, "keep_out": True})
    await shop.post("/v1/segments/some/members", json={"profiles": ["ann"]})
    await has(shop, "some", "ann")
    assert "1 profiles by now, and 0 were confirmed" in await refused(**token)
    token = await counted(shop, **job)
    edited = await shop.get("/v1/segments/some")
    assert (await shop.post("/v1/mass-jobs", json=token)).status_code == 202
    assert "used up" in await refused(**token)
    assert edited.json()["count"] == 1
    for wrong in (
        {"action": "update", "profiles": ["a"]},
        {"action": "update", "profiles": ["a"], "attributes": {"tags": 1}},
        {"action": "update", "profiles": ["a"], "attributes": {"x": {"y": 1}}},
        {"action": "reset_score", "profiles": ["a"]},
        {"action": "reset_score", "profiles": ["a"], "reason": "x", "keep_out": True},
        {"action": "delete"},
        {"action": "delete", "profiles": ["a"], "audience": {"include": ["some"]}},
    ):
        assert (await shop.post("/v1/mass-jobs/count", json=wrong)).status_code == 422, wrong
