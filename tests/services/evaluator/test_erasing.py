"""A person is erased: what named them is nowhere afterwards, and nothing brings them back."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count

import msgspec

from livesegments.core.event import MERGE, PROFILE, Event
from livesegments.core.names.seen import Names, observe
from livesegments.store import history, keys
from livesegments.store.erasures import SEARCH, Erasing, decode
from livesegments.store.names import NameStore
from livesegments.wire import pack
from livesegments.wire.suppressed import digest
from livesegments.wire.topics import EVENTS, MEMBERSHIPS, REJECTED, partition_of
from tests.services.evaluator.buying import PRO, T
from tests.services.evaluator.canary import in_files, in_redis
from tests.services.evaluator.rig import PARTITIONS, Rig

KEY = "of this installation"
CANARY = "canary-7c1e"
SECRET = "swallow-91"
HOME = partition_of("w", CANARY, PARTITIONS)
OTHERS = [f"p{number}" for number in range(40)]
ACTIVE = '{"type":"event","name":"bought","window":{"last":"1h"}}'


async def begun(rig: Rig, erase_within_s: float = 3_600) -> None:
    """Everybody is pro and has bought; files and checkpoints have it."""
    await rig.workspace()
    await rig.segment("active", ACTIVE)
    await rig.segment("pro", PRO)
    start(rig, erase_within_s)
    await rig.settled()
    for number in range(4):
        await rig.send(events(number))
        await rig.settled()
        await rig.until(lambda: filed(rig))


def start(rig: Rig, erase_within_s: float = 3_600) -> None:
    rig.start(archive_after_s=0.2, checkpoint_every_s=0.5, erasure_key=KEY, erase_within_s=erase_within_s)


def events(number: int) -> list[Event]:
    at = T + number
    changes = [
        Event(f"{p}-plan{number}", "w", p, PROFILE, at, {"attributes": {"plan": "pro"}}) for p in OTHERS
    ]
    changes += [Event(f"{p}-{number}", "w", p, "bought", at, {"what": "book"}) for p in OTHERS]
    mine = {"attributes": {"plan": "pro", "nick": f"{SECRET}-nick"}}
    changes.append(Event(f"{SECRET}-plan{number}", "w", CANARY, PROFILE, at, mine))
    changes.append(Event(f"{SECRET}-{number}", "w", CANARY, "bought", at, {"note": f"{SECRET}-note"}))
    return changes


async def filed(rig: Rig) -> bool:
    """Whether the canary's partition has nothing that is in no file, and a checkpoint."""
    tail = await rig.redis.xlen(keys.tail(HOME))
    return not tail and bool(await rig.redis.hlen(keys.checkpoint(HOME)))


async def request(rig: Rig, record: pack.Record) -> int:
    sent = await rig.producer.send_and_wait(EVENTS, pack.encode(record), partition=HOME)
    await rig.settled()
    return int(sent.offset)


async def note(rig: Rig, offset: int) -> Erasing:
    data = await rig.redis.hget(keys.erasures(HOME), offset)
    assert data is not None
    return decode(data)


async def done(rig: Rig, offset: int) -> None:
    async def is_done() -> bool:
        return (await note(rig, offset)).done_ms is not None

    await rig.until(is_done)


async def is_nowhere(rig: Rig) -> None:
    for text in (CANARY, SECRET):
        assert await in_redis(rig.redis, text) == []
        assert in_files(rig.folder, text) == []


async def others_are_whole(rig: Rig) -> None:
    assert await rig.members("pro") == set(OTHERS)
    assert await rig.members("active") == set(OTHERS)


async def test_a_canary_is_nowhere_after_its_erasure_and_never_comes_back(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    assert in_files(rig.folder, CANARY) and in_files(rig.folder, SECRET)
    assert await in_redis(rig.redis, CANARY)

    offset = await request(rig, pack.Erase("w", CANARY, at_once=True))
    told = await note(rig, offset)
    assert (told.exits, told.digest) == (2, digest(KEY, "w", CANARY))
    await done(rig, offset)
    await is_nowhere(rig)
    await others_are_whole(rig)
    exits = [each for each in await rig.heard() if each.profile == CANARY and each.kind == "exited"]
    assert {(each.segment, each.cause) for each in exits} == {("pro", "erasure"), ("active", "erasure")}

    await rig.send(events(5))  # late ones
    await rig.settled()
    await is_nowhere(rig)
    await others_are_whole(rig)

    await rig.redis.flushall()
    await rig.settled()
    await rig.send(events(6))
    await rig.settled()
    await is_nowhere(rig)
    await others_are_whole(rig)


async def test_a_canary_is_nowhere_within_the_stated_time_while_events_keep_coming(evaluation: Rig) -> None:
    """Others' events and late ones of hers make files, merges and checkpoints all the time. It isn't done at
    once: the request waits for others first, for half of the stated time."""
    rig, ended, rounds = evaluation, asyncio.Event(), count(10)
    await begun(rig, erase_within_s=4)
    applied = 0

    async def load() -> None:
        nonlocal applied
        while not ended.is_set():
            for _ in range(3):
                await rig.send(events(next(rounds)))
            await rig.settled()
            applied += 1

    async def more(than: int) -> bool:
        assert not coming.done()
        return applied > than

    coming = asyncio.create_task(load())
    await rig.until(lambda: more(0))
    record = pack.encode(pack.Erase("w", CANARY))
    sent = await rig.producer.send_and_wait(EVENTS, record, partition=HOME)
    await rig.until(lambda: rig.redis.hexists(keys.erasures(HOME), sent.offset))
    assert (await note(rig, sent.offset)).done_ms is None
    await done(rig, sent.offset)  # within 60 s, which is the bound of what is waited for
    await rig.until(partial(more, applied))
    await is_nowhere(rig)
    ended.set()
    await coming
    await is_nowhere(rig)
    await others_are_whole(rig)


async def test_a_canary_that_was_merged_is_nowhere_whichever_id_is_named(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    visitor = f"anonymous:{CANARY}"
    home = partition_of("w", visitor, PARTITIONS)
    await rig.send([Event(f"{SECRET}-visit", "w", visitor, "bought", T + 4, {"note": f"{SECRET}-visit"})])
    await rig.send([Event(f"{SECRET}-merge", "w", visitor, MERGE, T + 5, {"into": CANARY})])
    await rig.settled()

    async def handed() -> bool:
        return not await rig.redis.xlen(keys.handing(home)) and await filed(rig)

    await rig.until(handed)
    await rig.settled()
    record = pack.encode(pack.Erase("w", visitor, at_once=True))
    await rig.producer.send_and_wait(EVENTS, record, partition=home)
    wanted = {digest(KEY, "w", each) for each in (visitor, CANARY)}

    async def both_done() -> bool:
        found = []
        for partition in {home, HOME}:
            stored = await rig.redis.hgetall(keys.erasures(partition))
            found += [decode(data) for name, data in stored.items() if name.decode() != SEARCH]
        return {each.digest for each in found} == wanted and None not in {each.done_ms for each in found}

    await rig.until(both_done)
    await rig.settled()

    async def gone() -> bool:  # those that know of each other have asked for each other, too
        return await both_done() and not await in_redis(rig.redis, CANARY)

    await rig.until(gone)
    await is_nowhere(rig)
    await others_are_whole(rig)
    late = [Event(f"{SECRET}-late", "w", each, "bought", T + 6, {}) for each in (visitor, CANARY)]
    await rig.send(late)
    await rig.settled()
    await is_nowhere(rig)
    assert not [each for each in await rig.records(REJECTED, 1) if CANARY.encode() in (each.value or b"")]


async def test_an_erasure_goes_on_after_a_death_and_the_next_owner_ends_it(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    offset = (await rig.producer.send_and_wait(
        EVENTS, pack.encode(pack.Erase("w", CANARY, at_once=True)), partition=HOME
    )).offset  # fmt: skip
    for _ in range(3):
        await rig.evaluators[-1].child.kill()
        start(rig)
    await rig.settled()
    await done(rig, offset)
    await is_nowhere(rig)
    await others_are_whole(rig)


async def test_who_is_let_in_again_has_only_what_came_since(evaluation: Rig) -> None:
    rig = evaluation
    await begun(rig)
    offset = await request(rig, pack.Erase("w", CANARY, at_once=True))
    await done(rig, offset)
    await request(rig, pack.Lift("w", digest(KEY, "w", CANARY)))
    await rig.send([Event("again", "w", CANARY, "bought", T + 10, {})])
    await rig.settled()
    assert CANARY in await rig.members("active")
    assert CANARY not in await rig.members("pro")
    # a new segment's history is that of the new life alone
    await rig.segment("twice", ACTIVE.replace('"window"', '"value":2,"window"').replace("1h", "30d"))
    await rig.settled()
    assert await rig.members("twice") == set(OTHERS)


async def test_values_that_were_seen_of_the_erased_are_forgotten(evaluation: Rig) -> None:
    rig = evaluation
    store = NameStore(rig.redis)
    names: Names = {}
    for event in events(0):
        content = event.properties["attributes"] if event.name == PROFILE else event.properties
        observe(names, event.name, T, content)
    await store.add("w", names)
    assert await in_redis(rig.redis, SECRET) == ["{names}:w"]
    await begun(rig)
    offset = await request(rig, pack.Erase("w", CANARY, at_once=True))
    await done(rig, offset)
    await is_nowhere(rig)
    kept = (await store.read("w"))["bought"].paths["what"].values
    assert [msgspec.json.decode(each) for each in kept] == ["book"]


async def test_what_waits_names_nobody_in_a_checkpoint_once_it_is_done(evaluation: Rig) -> None:
    """The request waits for others at first; a checkpoint that is taken meanwhile has the note of it."""
    rig = evaluation
    await begun(rig)
    first = await request(rig, pack.Erase("w", CANARY))
    assert (await note(rig, first)).profile == CANARY
    await rig.until(lambda: filed(rig))
    assert sorted(await in_redis(rig.redis, CANARY)) == [keys.erasures(HOME), keys.gone(HOME)]
    known = await history.read(rig.redis, HOME)
    assert known.gone == {("w", CANARY): (await note(rig, first)).commit}
    taken = set(await rig.redis.hkeys(keys.checkpoint(HOME)))
    await rig.send(events(7))

    async def another() -> bool:
        return bool(set(await rig.redis.hkeys(keys.checkpoint(HOME))) - taken)

    await rig.until(another)
    second = await request(rig, pack.Erase("w", CANARY, at_once=True))
    await done(rig, first)
    await done(rig, second)
    await is_nowhere(rig)
    records = await rig.records(MEMBERSHIPS, PARTITIONS)
    assert sum(b'"erasure"' in each.value for each in records) == 2
