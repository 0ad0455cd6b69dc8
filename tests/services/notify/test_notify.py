"""The notify service: real broker, real Redis, a real receiver; killed in the middle."""

from __future__ import annotations

import asyncio
from functools import partial
from zlib import crc32

import msgspec

from livesegments.core.event import Transition
from livesegments.runtime import sealing
from livesegments.runtime.sealing import Seal
from livesegments.store import keys
from livesegments.wire.subscription import Replay, Secret, Webhook
from livesegments.wire.topics import partition_of
from tests.services.notify.rig import PARTITIONS, SECRET, Message, Receiver, Rig, receiving, until


def in_order(told: list[Transition], ids: list[str]) -> None:
    """All were heard, each profile's in their order."""
    assert sorted(ids) == sorted(each.id for each in told)
    place = {each: at for at, each in enumerate(ids)}
    for profile in {each.profile for each in told}:
        order = [place[each.id] for each in told if each.profile == profile]
        assert order == sorted(order)


async def test_killed_in_the_middle_it_loses_nothing_and_repeats_only_under_the_same_ids(
    rig: Rig, receiver: Receiver
) -> None:
    """A worker is killed while a third of the messages fail, and another takes over. Each fails once: after a
    second failure it would wait for five minutes."""
    failed = set[str]()

    async def answer(message: Message) -> int:
        if crc32(message.id.encode()) % 3 or message.id in failed:
            return 200
        failed.add(message.id)
        return 500

    receiver.answer = answer
    await rig.subscribe("all", receiver.url, backfill=True)
    await rig.subscribe("other", receiver.url, segments=("nobody",))
    first = rig.start()
    await rig.ready()
    told = rig.story(600, 40)
    await rig.announce(*told[:300])
    await until(lambda: len(receiver.taken) > 20)
    await first.kill()
    await rig.announce(*told[300:])
    rig.children.clear()
    rig.start()
    await until(lambda: len(receiver.ids) == len(told))
    in_order(told, receiver.ids)
    assert failed
    assert all(message.id == message.ids[0] for message in receiver.heard)
    assert {message.body["type"] for message in receiver.taken} == {"segment.entered", "segment.exited"}


async def test_one_slow_receiver_delays_no_other_and_is_heard_itself(rig: Rig, receiver: Receiver) -> None:
    hold = asyncio.Event()

    async def slowly(_: Message) -> int:
        await hold.wait()
        return 200

    async with receiving() as slow:
        slow.answer = slowly
        await rig.subscribe("slow", slow.url)
        await rig.subscribe("quick", receiver.url)
        await rig.subscribe("pulled")
        rig.start()
        await rig.ready()
        told = rig.story(900, 450)
        await rig.announce(*told)
        await until(lambda: len(receiver.ids) == len(told))
        assert slow.taken == []
        hold.set()
        await until(lambda: len(slow.ids) == len(told))
    in_order(told, receiver.ids)
    in_order(told, slow.ids)


async def test_batches_filters_and_secrets_that_rotate(rig: Rig, receiver: Receiver) -> None:
    rule = await rig.subscribe(
        "batches", receiver.url, segments=("vip",), kinds=("entered",), batch=50, batch_ms=100
    )
    new = "whsec_bmV3bmV3bmV3bmV3bmV3"
    key, former = sealing.new_key(), sealing.new_key()
    sealed = (Secret(Seal(former).sealed(SECRET), 1 << 50), Secret(Seal(key).sealed(new)))
    webhook = Webhook(receiver.url, sealed)
    rig.start(secrets_key=f"{key},{former}")
    await rig.ready()
    told = rig.story(200, 100)
    await rig.announce(*told, *rig.story(50, 50, "other"), *rig.story(50, 50, workspace="elsewhere"))
    entered = sorted(each.id for each in told if each.kind == "entered")
    await until(lambda: sorted(receiver.ids) == entered)
    assert {message.body["type"] for message in receiver.taken} == {"segment.transitions"}
    assert len(receiver.taken) < len(entered)

    await rig.define(msgspec.structs.replace(rule, version=2, webhook=webhook, batch=1))
    more = rig.story(20, 20)
    receiver.secret = new  # the receiver verifies with the new one, and, by the rig, every message does
    seen = len(receiver.heard)
    await rig.announce(*more)
    await until(lambda: set(receiver.ids) >= {each.id for each in more})
    assert all(" " in message.headers["webhook-signature"] for message in receiver.heard[seen:])


async def test_410_disables_and_enabling_goes_on_without_a_gap(rig: Rig, receiver: Receiver) -> None:
    gone = {"on": True}

    async def answer(_: Message) -> int:
        return 410 if gone["on"] else 200

    receiver.answer = answer
    rule = await rig.subscribe("all", receiver.url)
    rig.start()
    await rig.ready()
    told = rig.story(30, 10)
    await rig.announce(*told)

    await rig.found(lambda: rig.redis.hgetall(keys.NOTIFY_DISABLED))
    gone["on"] = False
    await rig.define(msgspec.structs.replace(rule, version=2, enabling=1))
    await until(lambda: len(receiver.ids) == len(told))
    in_order(told, receiver.ids)


async def test_redirects_are_not_followed_and_addresses_that_nobody_permits_are_not_asked(
    rig: Rig, receiver: Receiver
) -> None:
    async def answer(_: Message) -> int:
        return 302

    receiver.answer = answer
    await rig.subscribe("all", receiver.url)
    await rig.subscribe("inside", receiver.url.replace("127.0.0.1", "127.0.0.2"))
    await rig.subscribe("named", receiver.url.replace("127.0.0.1", "localhost"))
    elsewhere = Secret(Seal(sealing.new_key()).sealed(SECRET))
    sealed = msgspec.structs.replace(
        await rig.subscribe("sealed", receiver.url), webhook=Webhook(receiver.url, (elsewhere,))
    )
    await rig.define(sealed)
    rig.start()
    await rig.ready()
    await rig.announce(*rig.story(1, 1))
    partition = partition_of("shop", "p0", PARTITIONS)
    for id_, said in (
        ("all", b'"status":302'),
        ("inside", b"no public address"),
        ("named", b"no public host"),
        ("sealed", b"sealed under another key"),
    ):
        tries = await rig.found(partial(rig.redis.lrange, keys.notify_tries(partition, "shop", id_), 0, -1))
        assert said in tries[0]
    assert len(receiver.heard) == 1


async def test_a_range_is_sent_again_with_the_same_ids(rig: Rig, receiver: Receiver) -> None:
    rule = await rig.subscribe("all", receiver.url)
    rig.start()
    await rig.ready()
    told = rig.story(40, 20)
    await rig.announce(*told)
    await until(lambda: len(receiver.taken) >= len(told))
    receiver.taken.clear()
    replay = Replay(1, (0,) * PARTITIONS, (1_000,) * PARTITIONS)
    await rig.define(msgspec.structs.replace(rule, version=2, replay=replay))
    await until(lambda: len(receiver.ids) == len(told))
    in_order(told, receiver.ids)


async def test_a_stay_that_is_too_short_is_never_heard_and_one_that_lasts_is_heard_once(
    rig: Rig, receiver: Receiver
) -> None:
    await rig.subscribe("dwell", receiver.url, dwell_ms=1_000, cooldown_ms=3_600_000)
    rig.start()
    await rig.ready()
    (ann, bob) = rig.story(2, 2)
    left = msgspec.structs.replace(bob, id="left", kind="exited", sequence=2, at_ms=bob.at_ms + 500)
    await rig.announce(ann, bob, left)
    await until(lambda: receiver.ids == [ann.id])
    exited = msgspec.structs.replace(ann, id="x", kind="exited", sequence=2, at_ms=ann.at_ms + 5_000)
    again = msgspec.structs.replace(ann, id="y", sequence=3, at_ms=ann.at_ms + 6_000)
    after = msgspec.structs.replace(again, id="z", kind="exited", sequence=4, at_ms=ann.at_ms + 9_000)
    await rig.announce(exited, again, after)
    await until(lambda: receiver.ids == [ann.id, "x"])


async def test_with_redis_lost_what_was_not_delivered_is_heard(rig: Rig, receiver: Receiver) -> None:
    down = {"on": False}

    async def answer(_: Message) -> int:
        return 503 if down["on"] else 200

    receiver.answer = answer
    await rig.subscribe("all", receiver.url)
    rig.start()
    await rig.ready()
    before, after = rig.story(30, 10), rig.story(60, 20)
    await rig.announce(*before)
    await until(lambda: len(receiver.ids) == len(before))
    down["on"] = True
    await rig.announce(*after)
    await until(lambda: len(receiver.heard) > len(before) + 5)
    await rig.redis.flushall()
    down["on"] = False
    await until(lambda: len(receiver.ids) == len(before) + len(after))
