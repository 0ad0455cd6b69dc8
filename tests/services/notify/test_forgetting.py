"""Who is erased is named by nothing that notify keeps; receivers hear the exits."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livesegments.core.event import Transition
from livesegments.notify.queue import Message as Waiting
from livesegments.notify.stays import Stay
from livesegments.store import keys
from livesegments.store.erasures import CHANGED, Suppressed, encode
from livesegments.wire.attempt import Dead
from livesegments.wire.subscription import Replay
from livesegments.wire.suppressed import digest
from livesegments.wire.topics import partition_of
from tests.services.evaluator.canary import in_redis
from tests.services.notify.rig import PARTITIONS, Message, Receiver, Rig, until

KEY = "of this installation"
CANARY = "canary-7c1e"
HOME = partition_of("shop", CANARY, PARTITIONS)
OTHER = next(f"p{n}" for n in range(99) if partition_of("shop", f"p{n}", PARTITIONS) == HOME)
DAY_MS = 86_400_000
COOL = "cool"


def told(rig: Rig, *who: str) -> list[Transition]:
    """Each enters `vip`."""
    return [msgspec.structs.replace(rig.story(1, 1)[0], profile=each) for each in who]


async def erase(rig: Rig) -> None:
    """What the commit of an erasure leaves for others to see."""
    who = encode(Suppressed("shop", 7, 1, "7"))
    changed = {digest(KEY, "shop", CANARY): who, CHANGED: b"9"}
    await rig.redis.hset(keys.suppressed(HOME), mapping=changed)


async def letters(rig: Rig) -> list[list[str]]:
    found = await rig.redis.lrange(keys.notify_dead(HOME, "shop", COOL), 0, -1)
    return [[t.profile for t in msgspec.json.decode(each, type=Dead).transitions] for each in found]


def dead(transitions: Sequence[Transition]) -> bytes:
    return msgspec.json.encode(Dead(transitions[0].id, 1, 10, list(transitions), 500))


async def test_dead_letters_and_stays_forget_who_is_erased_and_a_replay_does_not_name_them(
    rig: Rig, receiver: Receiver
) -> None:
    rule = await rig.subscribe(COOL, receiver.url, cooldown_ms=30 * DAY_MS)
    rig.start(erasure_key=KEY)
    await rig.ready()
    both = told(rig, CANARY, OTHER)
    await rig.announce(*both)
    await until(lambda: len(receiver.ids) == 2)

    async def kept() -> bool:
        return bool(await rig.redis.hlen(keys.notify_stays(HOME, "shop", COOL)) == 2)

    await rig.found(kept)
    place = keys.notify_dead(HOME, "shop", COOL)
    await rig.redis.rpush(place, dead(both[:1]), dead(both), dead(both[1:]))
    await erase(rig)

    async def forgotten() -> bool:
        return not await in_redis(rig.redis, CANARY)

    await rig.found(forgotten)
    assert await letters(rig) == [[OTHER], [OTHER]]
    stays = keys.notify_stays(HOME, "shop", COOL)
    assert [key.decode() for key in await rig.redis.hkeys(stays)] == [f"vip\0{OTHER}"]
    assert len(await rig.redis.zrange(keys.notify_dues(HOME, "shop", COOL), 0, -1)) == 1
    receiver.taken.clear()
    replay = Replay(1, (0,) * PARTITIONS, (1_000,) * PARTITIONS)
    await rig.define(msgspec.structs.replace(rule, version=2, replay=replay))
    await until(lambda: bool(receiver.taken))
    assert [message.body["data"]["profile"] for message in receiver.taken] == [OTHER]


async def test_what_is_given_up_after_an_erasure_does_not_name_them(rig: Rig, receiver: Receiver) -> None:
    """A message that had its last failure but one before; and the exit is heard and leaves nothing behind."""
    refused = told(rig, CANARY, OTHER)

    async def answer(message: Message) -> int:
        return 200 if message.body["type"] == "segment.exited" else 500

    receiver.answer = answer
    await rig.subscribe(COOL, receiver.url, cooldown_ms=30 * DAY_MS)
    waiting = Waiting(0, 1, refused, sealed=True, failures=9, next_ms=1)
    lane = keys.notify_lane(HOME, "shop", COOL)
    await rig.redis.hset(lane, mapping={"at": 0, "next": 1, "m:0": msgspec.msgpack.encode(waiting)})
    await rig.redis.sadd(keys.notify_lanes(HOME), f"shop/{COOL}")
    stay = msgspec.msgpack.encode(Stay(1, refused[0].at_ms, heard_ms=refused[0].at_ms))
    await rig.redis.hset(keys.notify_stays(HOME, "shop", COOL), f"vip\0{CANARY}", stay)
    await erase(rig)
    left = msgspec.structs.replace(refused[0], id="left", kind="exited", sequence=2, cause="erasure")
    await rig.announce(left)
    rig.start(erasure_key=KEY)
    await rig.ready()
    await until(lambda: "left" in receiver.ids)

    async def forgotten() -> bool:
        return not await in_redis(rig.redis, CANARY)

    await rig.found(forgotten)
    assert await letters(rig) == [[OTHER]]
