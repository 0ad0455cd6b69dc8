"""The evaluator's topics may hold anything: a record that can't be read is logged, counted and passed
over."""

from __future__ import annotations

import asyncio
import math
from base64 import b64decode
from typing import Any

import msgspec
import pytest

from livesegments.core.event import PROFILE, Event
from livesegments.wire import catalog, pack
from livesegments.wire.rejected import PROFILE_FULL
from livesegments.wire.topics import DEFINITIONS, EVENTS, REJECTED, partition_of
from tests.services.evaluator.buying import PRO, T, plan
from tests.services.evaluator.rig import PARTITIONS, Rig
from tests.unreadable import BAD, send_batch

HOME = partition_of("w", "ann", PARTITIONS)
AWAY = (HOME + 1) % PARTITIONS

extension = pytest.mark.parametrize("extension", [True, False], ids=["with C", "without C"])


def record(properties: object, name: str = "n") -> bytes:
    return msgspec.msgpack.encode(["e", [["1", "w", "ann", name, T, properties]]])


async def told(rig: Rig) -> dict[str, Any]:
    """Source → code of the fault."""
    found = [msgspec.json.decode(each.value) for each in await rig.records(REJECTED, 1)]
    return {each["source"]: each["faults"][0]["code"] for each in found}


async def test_records_of_the_wrong_shape_are_kept_in_rejected_and_passed_over(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    strange = [
        record({"x": math.nan}),
        record({"tags_add": 5}, PROFILE),
        record({}).replace(b"ann", b"a\xffn"),
        b"\x92\xa1e\x91\x96" + b"\xa11" * 4 + b"\x01\x81\xa1x" + b"\x91" * 5_000,
    ]
    for value in strange:
        await rig.producer.send_and_wait(EVENTS, value, partition=HOME)
    await rig.send([plan("1", "ann", "pro", T)])
    evaluator = rig.start()
    await rig.settled()
    assert await rig.members("pro") == {"ann"}
    assert await told(rig) == {f"{EVENTS}/{HOME}/{offset}": "not_packed" for offset in range(len(strange))}
    assert await evaluator.metric("livesegments_evaluator_unreadable_total") == len(strange)


@extension
async def test_a_header_that_is_not_utf8_stops_no_partition(
    evaluation: Rig, extension: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One lies amid a batch, one is a batch of its own, one is alone in another partition."""
    if not extension:
        monkeypatch.setenv("AIOKAFKA_NO_EXTENSIONS", "1")
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    ours = msgspec.msgpack.encode(["e", [plan("0", "ann", "pro", T)]])
    await send_batch(rig.stack.kafka, EVENTS, HOME, (ours, []), BAD, BAD)
    await send_batch(rig.stack.kafka, EVENTS, AWAY, BAD)
    both = ["ann", next(n for n in map(str, range(99)) if partition_of("w", n, PARTITIONS) == AWAY)]
    await rig.send([plan("1", profile, "pro", T) for profile in both])
    rig.start()
    await rig.settled()
    assert await rig.members("pro") == set(both)
    await send_batch(rig.stack.kafka, EVENTS, HOME, BAD)  # and while it runs
    more = next(n for n in map(str, range(999)) if partition_of("w", n, PARTITIONS) == HOME)
    await rig.send([plan("2", more, "pro", T)])
    await rig.settled()
    assert await rig.members("pro") == {*both, more}
    assert await told(rig) == dict.fromkeys(
        (f"{EVENTS}/{HOME}/1", f"{EVENTS}/{HOME}/2", f"{EVENTS}/{AWAY}/0", f"{EVENTS}/{HOME}/4"), "not_packed"
    )
    reasons = [msgspec.json.decode(each.value)["reason"] for each in await rig.records(REJECTED, 1)]
    assert all("utf-8" in reason for reason in reasons)


@extension
async def test_strange_definitions_are_passed_over(
    evaluation: Rig, extension: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not extension:
        monkeypatch.setenv("AIOKAFKA_NO_EXTENSIONS", "1")
    rig = evaluation
    await rig.workspace()
    strange: list[tuple[bytes, bytes]] = [
        (b"segment/w/pro", b"not JSON"),
        (b"workspace/w", b"\xff"),
        (b"workspace/w", catalog.encode(catalog.Workspace("v", "V", "UTC", 0))),
        (b"\xff", b"{}"),
        (b"what/is/this", b"{}"),
        (b"segment/w/deep", b"[" * 5_000),
    ]

    async def send() -> None:
        for key, value in strange:
            await rig.producer.send_and_wait(DEFINITIONS, value, key=key)
        await send_batch(rig.stack.kafka, DEFINITIONS, 0, BAD, key=b"k")

    await send()
    await rig.segment("pro", PRO)
    evaluator = rig.start()
    await rig.send([plan("1", "ann", "pro", T)])
    await rig.settled()
    assert await rig.members("pro") == {"ann"}
    await send()  # and while it runs
    await rig.segment("more", PRO)
    await rig.settled()
    assert await rig.members("more") == {"ann"}
    async with asyncio.timeout(60):
        count = 0.0
        while count < 2 * (len(strange) + 1):
            count = await evaluator.metric("livesegments_definitions_unreadable_total")
    assert count == 2 * (len(strange) + 1)


async def test_a_change_beyond_a_profiles_bound_is_kept_in_rejected_and_passed_over(evaluation: Rig) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    many = Event("0", "w", "ann", PROFILE, T, {"groups": [str(number) for number in range(1_001)]})
    await rig.send([many, plan("1", "ann", "pro", T)])
    evaluator = rig.start()
    await rig.settled()
    assert await rig.members("pro") == {"ann"}
    (refused,) = [msgspec.json.decode(each.value) for each in await rig.records(REJECTED, 1)]
    assert refused["source"] == f"{EVENTS}/{HOME}/0" and refused["workspace"] == "w"
    assert refused["faults"][0]["code"] == PROFILE_FULL and "1000 groups" in refused["reason"]
    assert b64decode(refused["raw"]) == pack.encode(pack.Packed([many]))
    assert await evaluator.metric("livesegments_evaluator_refused_total") == 1


@pytest.mark.parametrize("value", [b"\xc1 nonsense", b"", None])
async def test_a_record_that_is_none_of_ours_is_kept_in_rejected_and_passed_over(
    evaluation: Rig, value: bytes | None
) -> None:
    rig = evaluation
    await rig.workspace()
    await rig.segment("pro", PRO)
    home = partition_of("w", "ann", PARTITIONS)
    sent = await rig.producer.send_and_wait(EVENTS, value, key=b"k", partition=home)
    await rig.send([plan("1", "ann", "pro", T)])
    rig.start()
    await rig.settled()
    assert await rig.members("pro") == {"ann"}
    (told,) = [msgspec.json.decode(record.value) for record in await rig.records(REJECTED, 1)]
    assert told["source"] == f"events/{home}/{sent.offset}"
    assert b64decode(told["raw"]) == (value or b"")
    assert told["faults"][0]["code"] == "not_packed"
