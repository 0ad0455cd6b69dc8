"""The command line against the whole product: the commands of the README's tour, and their failures."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from livesegments.core.event import PROFILE, Event
from livesegments.core.fault import Fault
from livesegments.wire import pack
from livesegments.wire.rejected import INTERNAL_FAULT, Rejected, encode
from livesegments.wire.topics import REJECTED
from tests.e2e import page
from tests.e2e.conftest import COMMAND, Product

ROOT = Path(__file__).parents[2]

BUYERS = {
    "id": "buyers",
    "name": "Buyers",
    "definition": {"type": "event", "name": "order_placed", "window": {"last": "30d"}},
}
LOYAL = {
    "id": "loyal",
    "name": "Loyal",
    "definition": {
        "type": "all",
        "of": [
            {"type": "segment", "id": "buyers"},
            {"type": "attribute", "name": "plan", "op": "eq", "value": "pro"},
        ],
    },
}
OWN = {"id": "1", "profile": "ann", "name": "order_placed", "time": "2024-01-01T00:00:00Z"}
TRACK = {
    "type": "track",
    "messageId": "2",
    "userId": "bob",
    "event": "order_placed",
    "timestamp": "2024-01-02T00:00:00Z",
}
IDENTIFY = {
    "type": "identify",
    "messageId": "3",
    "userId": "ann",
    "traits": {"plan": "pro"},
    "timestamp": "2024-01-03T00:00:00Z",
}


def lines(*events: object) -> str:
    return "".join(f"{json.dumps(event)}\n" for event in events)


@pytest.fixture
async def defined(product: Product, tmp_path: Path) -> Product:
    """With both segments, once."""
    known = {segment["id"] for segment in await product.json("segments", "list")}
    if "buyers" not in known:
        file = tmp_path / "segments.json"
        file.write_text(json.dumps([BUYERS, LOYAL]))
        made = await product.json("segments", "create", "-f", str(file))
        assert [segment["id"] for segment in made] == ["buyers", "loyal"]
    return product


async def test_up_tells_every_address_and_key(product: Product) -> None:
    wanted = {"ingest", "api", "kafka", "redis", "workspace", "write_key", "api_key", "admin_key", "console"}
    assert product.up.keys() == wanted
    assert all(product.up.values())


async def test_from_an_event_to_a_member_to_a_transition_heard_and_out_again_by_the_clock(
    defined: Product,
) -> None:
    product = defined
    watching = await product.begin("watch", "loyal", "--json")
    assert watching.stderr is not None and watching.stdout is not None
    async with asyncio.timeout(60):
        assert b"watching" in await watching.stderr.readline()
    sent = await product.json("send", "-", stdin=lines(OWN, TRACK, IDENTIFY))
    assert sent == [{"accepted": 3, "refused": [], "partial": []}]
    await product.json("settle")
    assert await product.json("members", "buyers", "--all") == [{"profile": "ann"}, {"profile": "bob"}]
    assert await product.json("members", "loyal") == [{"profile": "ann"}]

    (ann,) = await product.json("profile", "ann")
    assert ann["attributes"]["plan"] == "pro"
    assert {item["id"]: item["valid_until"] for item in ann["segments"]} == {
        "buyers": "2024-01-31T00:00:00.000Z",
        "loyal": "2024-01-31T00:00:00.000Z",
    }

    assert (await product.run("clock", "2024-01-31T00:00:00Z")).status == 0
    assert await product.json("members", "buyers") == [{"profile": "bob"}]
    assert await product.json("members", "loyal") == []
    async with asyncio.timeout(60):
        heard = [json.loads(await watching.stdout.readline()) for _ in range(2)]
    watching.send_signal(signal.SIGINT)
    await watching.wait()
    assert [(told["kind"], told["profile"], told["sequence"]) for told in heard] == [
        ("entered", "ann", 1),
        ("exited", "ann", 2),
    ]


async def test_history_is_asked_before_a_segment_is_saved_and_about_the_past(
    product: Product, tmp_path: Path
) -> None:
    tried = {**BUYERS, "definition": {"type": "event", "name": "tried", "window": {"last": "30d"}}}
    event = {"id": "t1", "profile": "tia", "name": "tried", "time": "2024-02-02T00:00:00Z"}
    await product.json("send", "-", stdin=lines(event))
    await product.json("settle")
    file = tmp_path / "tried.json"
    file.write_text(json.dumps(tried["definition"]))
    (seen,) = await product.json("preview", "-f", str(file))
    assert seen["count"] == 1
    assert seen["sample"] == [{"profile": "tia", "conditions": [{"pointer": "", "holds": True, "value": 1}]}]
    plain = await product.run("preview", "-f", str(file))
    assert plain.status == 0 and "tia" in plain.out, plain.err

    file.write_text(json.dumps(tried | {"id": "tried", "name": "Tried"}))
    await product.json("segments", "create", "-f", str(file))
    assert await product.json("members", "tried", "--as-of", "2024-02-01T00:00:00Z") == []
    assert await product.json("members", "tried", "--as-of", "2024-02-02T00:00:00Z") == [{"profile": "tia"}]
    (never,) = await product.json("was", "tia", "tried", "--at", "2024-02-01T00:00:00Z")
    assert (never["in"], never["since"]) == (False, None)
    said = await product.run("was", "tia", "tried", "--at", "2024-02-01T00:00:00Z")
    assert "tia was not in tried" in said.out


async def test_every_refused_line_is_named_with_its_reason_and_the_others_are_accepted(
    product: Product,
) -> None:
    good = {"id": "ok", "profile": "zoe", "name": "seen", "time": "2024-01-01T00:00:00Z"}
    text = (
        lines(good)
        + "{nonsense\n"
        + lines({"id": "x", "name": "seen"}, TRACK | {"userId": [7]}, good | {"id": "ok2"})
    )
    ran = await product.run("send", "-", "--json", stdin=text)
    assert ran.status == 1
    (told,) = ran.documents
    assert told["accepted"] == 2
    assert [item["line"] for item in told["refused"]] == [2, 3, 4]
    assert all(item["code"] and item["reason"] for item in told["refused"])
    plain = await product.run("send", "-", stdin=text)
    assert plain.status == 1
    assert "line 3:" in plain.err


async def test_segments_are_listed_shown_edited_and_deleted(defined: Product, tmp_path: Path) -> None:
    product = defined
    file = tmp_path / "segment.json"
    file.write_text(json.dumps({"id": "spare", "name": "Spare", "definition": BUYERS["definition"]}))
    await product.json("segments", "create", "-f", str(file))
    file.write_text(json.dumps({"name": "Spare no more", "description": "edited"}))
    (edited,) = await product.json("segments", "edit", "spare", "-f", str(file))
    assert (edited["name"], edited["version"], edited["definition_version"]) == ("Spare no more", 2, 1)
    (shown,) = await product.json("segments", "show", "spare")
    assert shown["definition"] == BUYERS["definition"]
    shown["description"] = "again"
    file.write_text(json.dumps(shown))
    (edited,) = await product.json("segments", "edit", "spare", "-f", str(file))
    assert (edited["description"], edited["version"], edited["definition_version"]) == ("again", 3, 1)
    table = await product.run("segments", "list", "--sort", "created", "--desc")
    assert "Spare no more" in table.out
    await product.json("segments", "delete", "spare")
    gone = await product.run("segments", "show", "spare")
    assert gone.status == 1
    assert "next:" in gone.err


async def test_every_fault_of_a_definition_is_shown_with_its_pointer(
    product: Product, tmp_path: Path
) -> None:
    file = tmp_path / "segment.json"
    wrong = [
        {"type": "event", "name": "n", "window": {"last": "1 month"}},
        {"type": "attribute", "name": "a", "op": "=="},
    ]
    file.write_text(json.dumps({"name": "Wrong", "definition": {"type": "all", "of": wrong}}))
    ran = await product.run("segments", "create", "-f", str(file))
    assert ran.status == 1
    said = "".join(ran.err.split())  # however it was folded
    assert "/definition/of/0/window/last" in said
    assert "/definition/of/1/op" in said


async def test_all_segments_are_checked_before_any_is_created_and_it_can_be_repeated(
    defined: Product, tmp_path: Path
) -> None:
    product = defined
    file = tmp_path / "segments.json"
    first, second = BUYERS | {"id": "first", "name": "First"}, LOYAL | {"id": "second", "name": "Second"}
    file.write_text(json.dumps([first, {"name": "No definition"}]))
    ran = await product.run("segments", "create", "-f", str(file))
    assert ran.status == 1 and ran.out == ""
    assert "segment 2 (No definition) of 2; nothing was created" in " ".join(ran.err.split())
    file.write_text(json.dumps([first, second]))
    for what in ("created first (First)", "unchanged: first (First)"):
        ran = await product.run("segments", "create", "--upsert", "-f", str(file))
        assert ran.status == 0 and what in ran.out, ran.err
    await product.json("segments", "delete", "first")
    await product.json("segments", "delete", "second")


async def test_a_profile_of_any_id_is_shown_and_checked(defined: Product) -> None:
    ids = [".", "..", "a/b", "../../v1/lag", "a b", "🦄", "100%", "%2e%2e", "a?b#c"]
    sent = [OWN | {"id": id_, "profile": id_, "time": "2024-02-01T00:00:00Z"} for id_ in ids]
    assert await defined.json("send", "-", stdin=lines(*sent)) == [
        {"accepted": len(ids), "refused": [], "partial": []}
    ]
    await defined.json("settle")
    for id_ in ids:
        (shown,) = await defined.json("profile", id_)
        (checked,) = await defined.json("check", id_, "buyers")
        assert (shown["profile"], checked["profile"], checked["in"]) == (id_, id_, True)
    assert await defined.json("count", "buyers") == [{"count": await _members(defined)}]


async def _members(product: Product) -> int:
    return len(await product.json("members", "buyers", "--all"))


async def test_a_reader_of_members_that_has_enough_is_no_failure(defined: Product) -> None:
    sent = [
        OWN | {"id": f"m{n}", "profile": f"{n:05}{'x' * 200}", "time": "2024-02-01T00:00:00Z"}
        for n in range(3_000)
    ]
    await defined.json("send", "-", stdin=lines(*sent))
    await defined.json("settle")
    process = await defined.begin("members", "buyers", "--all")
    assert process.stdout is not None and process.stderr is not None
    assert await process.stdout.readline()
    process.stdout._transport.close()  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        assert (await process.stderr.read(), await process.wait()) == (b"", 0)


async def test_the_clock_is_not_moved_back(defined: Product) -> None:
    assert (await defined.run("clock", "2024-03-01T00:00:00Z")).status == 0
    back = await defined.run("clock", "2024-02-15T00:00:00Z")
    assert back.status == 1 and "never goes back" in back.err


async def test_names_that_were_seen_are_shown_and_others_warned_of(product: Product, tmp_path: Path) -> None:
    sent = OWN | {"id": "named", "name": "parcel_shipped", "properties": {"weight": 3}}
    await product.json("send", "-", stdin=lines(sent))
    async with asyncio.timeout(60):
        while not (found := (await product.json("names", "parcel"))[0]["events"]):
            pass
    assert [(each["name"], each["properties"][0]["types"]) for each in found] == [
        ("parcel_shipped", ["number"])
    ]
    file = tmp_path / "segment.json"
    parcels = {"type": "event", "name": "parcel_shiped", "window": {"last": "7d"}}
    file.write_text(json.dumps({"id": "parcels", "name": "Parcels", "definition": parcels}))
    ran = await product.run("segments", "create", "-f", str(file))
    assert ran.status == 0 and "created parcels" in ran.out
    assert "did you mean 'parcel_shipped'?" in " ".join(ran.err.split())
    await product.json("segments", "delete", "parcels")


async def test_workspaces_and_keys(product: Product) -> None:
    (made,) = await product.json("workspaces", "create", "Berlin", "--id", "berlin", "-z", "Europe/Berlin")
    assert made in await product.json("workspaces", "list")
    assert await product.json("workspaces", "show", "berlin") == [made]
    (edited,) = await product.json("workspaces", "edit", "berlin", "--name", "Potsdam")
    assert (edited["name"], edited["timezone"]) == ("Potsdam", "Europe/Berlin")
    (key,) = await product.json("keys", "create", "reader", "-s", "read", "-w", "berlin")
    assert "(Europe/Berlin)" in (await product.run("keys", "list", "-w", "berlin")).out
    listed = await product.json("keys", "list", "-w", "berlin")
    assert [(each["id"], each["scopes"]) for each in listed] == [(key["id"], ["read"])]
    assert (await product.run("segments", "list", "--key", key["key"])).status == 0
    await product.json("keys", "delete", key["id"], "-w", "berlin")
    assert (await product.run("segments", "list", "--key", key["key"])).status == 1


async def test_address_and_key_by_environment_alone(product: Product, tmp_path: Path) -> None:
    told = {"API_URL": "api", "INGEST_URL": "ingest", "API_KEY": "api_key", "WRITE_KEY": "write_key"}
    environment = {f"LIVESEGMENTS_{name}": product.up[field] for name, field in told.items()}
    for arguments in (["segments", "list"], ["settle"], ["clock", "2024-04-01"], ["send", "-"]):
        process = await asyncio.create_subprocess_exec(
            COMMAND, *arguments, "--json", cwd=tmp_path, env=os.environ | environment, stdin=DEVNULL
        )
        assert await process.wait() == 0, arguments


async def test_a_wrong_key_says_what_to_do(product: Product) -> None:
    ran = await product.run("segments", "list", "--key", "wrong")
    assert ran.status == 1
    assert "--key" in ran.err


async def test_what_was_refused_is_read_followed_and_shown(product: Product) -> None:
    following = await product.begin("rejected", "--follow", "--json", "--code", "unknown_field")
    assert following.stdout is not None
    first = {"id": "r-1", "profile": "rita", "name": "seen", "colour": "red"}
    await product.run("send", "-", stdin=lines(first, {"name": "seen"}))
    async with asyncio.timeout(60):
        heard = json.loads(await following.stdout.readline())
    following.send_signal(signal.SIGINT)
    await following.wait()
    assert json.loads(heard["text"]) == first and heard["workspace"] == product.up["workspace"]
    ids = [item["id"] for item in await product.json("rejected")]
    assert heard["id"] == ids[1]
    table = await product.run("rejected", "--code", "unknown_field")
    assert heard["id"] in table.out and heard["reason"] in table.out
    shown = await product.run("rejected", "--show", heard["id"])
    assert json.loads(shown.out) == first
    refused = await product.run("rejected", "--replay", heard["id"], "--key", product.up["admin_key"])
    assert refused.status == 1 and "correct it and send it again" in refused.err


async def test_an_event_that_a_fault_of_ours_held_back_is_applied_once_however_often_it_is_replayed(
    product: Product,
) -> None:
    workspace = product.up["workspace"]
    await product.json("send", "-", stdin=lines(OWN | {"id": "h-0", "profile": "hal"}))
    change = {"score": {"increment": 5}}
    held = Event("h-1", workspace, "hal", PROFILE, 1_704_067_200_000, change)
    raw = pack.encode(pack.Packed([held]))
    fault = Fault("", INTERNAL_FAULT, "an error of ours")
    async with AIOKafkaProducer(bootstrap_servers=product.up["kafka"]) as producer:
        refused = encode(Rejected(workspace, "events/0/1", 0, [fault], raw))
        offset = (await producer.send_and_wait(REJECTED, refused)).offset
    await product.json("settle")
    (before,) = await product.json("profile", "hal")
    assert before["score"] is None
    for _ in range(2):
        (replayed,) = await product.json(
            "rejected", "--replay", f"0-{offset}", "--key", product.up["admin_key"]
        )
        assert (replayed["profile"], replayed["event"]) == ("hal", "h-1")
    await product.json("settle")
    (after,) = await product.json("profile", "hal")
    assert after["score"] == 5
    not_allowed = await product.run("rejected", "--replay", f"0-{offset}", "--key", product.up["write_key"])
    assert not_allowed.status == 1 and "lacks the scope 'operate'" in not_allowed.err


async def test_erase_a_person_see_how_far_it_is_and_let_them_in_again(defined: Product) -> None:
    product = defined
    ran = await product.run("send", "-", stdin=lines(OWN | {"profile": "eve", "id": "eve-1"}))
    assert ran.status == 0, ran.err
    await product.run("settle")
    refused = await product.run("erase", "eve", stdin="n\n")
    assert refused.status == 1
    assert (await product.run("profile", "eve")).status == 0
    (erased,) = await product.json("erase", "eve", "--yes", "--at-once", "--wait")
    assert erased["state"] == "done"
    assert (await product.run("profile", "eve")).status == 1
    shown = await product.run("erasures", "show", erased["id"])
    assert shown.status == 0 and "dropped" in shown.out
    assert (await product.run("erasures", "lift", erased["id"])).status == 0
    await product.run("settle")
    (now,) = await product.json("erasures", "show", erased["id"])
    assert now["suppressed"] is False
    missing = await product.run("erasures", "show", f"{erased['id'].partition('-')[0]}-0")
    assert missing.status == 1 and "erase" in missing.err


async def test_a_refunded_order_counts_no_more(defined: Product) -> None:
    """From HTTP to the transition: the order and its retraction, as Segment's track and as an event of ours."""
    product = defined
    at = "2024-04-10T00:00:00Z"
    track = TRACK | {"messageId": "order-zoe", "userId": "zoe", "timestamp": at}
    await product.json("send", "-", stdin=lines(track))
    await product.json("settle")
    assert {"profile": "zoe"} in await product.json("members", "buyers", "--all")
    refund = {"id": "refund-zoe", "profile": "zoe", "name": "$retract", "time": at}
    ran = await product.run("send", "-", stdin=lines(refund))
    assert ran.status == 1 and "$retract needs 'event_id'" in ran.err + ran.out
    await product.json("send", "-", stdin=lines(refund | {"properties": {"event_id": "order-zoe"}}))
    await product.json("settle")
    assert {"profile": "zoe"} not in await product.json("members", "buyers", "--all")
    moments = await product.json("timeline", "zoe")
    found = [each for each in moments if each.get("cause") == "retraction"]
    assert [(each["name"], each["event_id"]) for each in found] == [("$segment_exited", "refund-zoe")]


async def test_the_commands_of_the_page_about_segments_do_what_it_says(
    product: Product, tmp_path: Path
) -> None:
    commands = page.commands_of(ROOT / "docs" / "segments.md", tmp_path)
    assert len(commands) > 5
    await page.run(commands, product, tmp_path)
