"""The promises of a shard that the evaluator relies on: of the simulation's stand-in, and of a real
Valkey."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from livesegments.core.event import Transition
from livesegments.store import keys
from livesegments.store.commit import Commit, Restore
from livesegments.store.shard import Head

Open = Callable[[], Any]


def transition(sequence: int) -> Transition:
    return Transition(f"t{sequence}", "w", "s", "ann", "entered", 5, sequence, "event", "e1", 1)


async def claimed(open_shard: Open, token: str = "a") -> tuple[Any, Head]:
    shard = open_shard()
    await shard.open()
    return shard, await shard.claim(token, "topic-1")


def commit_of(shard: Any, number: int, offset: int = 0) -> Commit:
    return Commit(shard.partition, number, offset, 1_000 + number, 7)


async def test_a_new_partition_starts_at_nothing(open_shard: Open) -> None:
    _, head = await claimed(open_shard)
    assert head == Head(commit=0, offset=0, clock_ms=None, catalog=-1)


async def test_a_commit_is_all_there_and_so_is_its_head(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    commit = commit_of(shard, 1, offset=10)
    partition = commit.partition
    commit.put_fields(keys.profiles(partition, "w"), {"ann": b"\x00\xff", "bob": b"2"})
    commit.score(keys.due(partition), {"w\0ann": 200, "w\0bob": 100})
    announced = replace(transition(1), computed={"spent": 0.5, "seen": "2024-03-01T12:00:00.000Z"})
    commit.announce([announced])
    assert await shard.commit("a", commit)
    assert await shard.profiles("w", ["bob", "eve", "ann"]) == [b"2", None, b"\x00\xff"]
    assert await shard.dues(10) == [(100, "w\0bob"), (200, "w\0ann")]
    assert await shard.dues(1) == [(100, "w\0bob")]
    assert await shard.outbox(1, 10) == [(1, [announced])]
    assert await shard.count("w") == 2
    _, head = await claimed(open_shard, "b")
    assert head == Head(commit=1, offset=10, clock_ms=1_001, catalog=7, restoring=True)


@pytest.mark.parametrize("states", ["1", ""])
async def test_what_another_version_has_stored_is_foreign(open_shard: Open, states: str) -> None:
    shard, head = await claimed(open_shard)
    assert not head.foreign
    commit = commit_of(shard, 1)
    commit.put_fields(keys.head(commit.partition), {"states": states})
    if not states:
        commit.drop_fields(keys.head(commit.partition), ["states"])
    assert await shard.commit("a", commit)
    _, head = await claimed(open_shard, "b")
    assert (head.commit, head.foreign) == (1, True)


async def test_what_is_taken_away_is_gone(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    first = commit_of(shard, 1)
    partition = first.partition
    first.put_fields(keys.facts(partition, "w"), {"1": "3 -", "2": "3 -"})
    first.score(keys.due(partition), {"w\0ann": 1, "w\0bob": 2})
    second = commit_of(shard, 2)
    second.drop_fields(keys.facts(partition, "w"), ["1"])
    second.unscore(keys.due(partition), ["w\0ann"])
    assert await shard.commit("a", first)
    assert await shard.commit("a", second)
    assert await shard.fields(keys.facts(partition, "w")) == {"2": b"3 -"}
    assert await shard.dues(10) == [(2, "w\0bob")]


@pytest.mark.parametrize("many", [1, 3, 3_000])
async def test_members_are_the_same_in_either_form(open_shard: Open, many: int) -> None:
    shard, _ = await claimed(open_shard)
    first = commit_of(shard, 1)
    partition = first.partition
    ids = {number: f"p{number}" for number in range(7, 7 + many)}
    first.put_fields(keys.ids(partition, "w"), {str(number): id_ for number, id_ in ids.items()})
    first.score(keys.members(partition, "w", "few"), {id_: number for number, id_ in ids.items()})
    first.set_bits(keys.bits(partition, "w", "many"), dict.fromkeys(ids, True))
    assert await shard.commit("a", first)
    for segment in ("few", "many"):
        assert await shard.members("w", segment) == ids
    assert await shard.sizes([("w", "few"), ("w", "none"), ("w", "many")]) == [many, 0, many]
    assert await shard.among("w", "p7", 7, ["few", "none", "many"]) == {
        "few": True,
        "none": False,
        "many": True,
    }
    second = commit_of(shard, 2)
    second.unscore(keys.members(partition, "w", "few"), ["p7"])
    second.set_bits(keys.bits(partition, "w", "many"), {7: False})
    assert await shard.commit("a", second)
    del ids[7]
    for segment in ("few", "many"):
        assert await shard.members("w", segment) == ids
    third = commit_of(shard, 3)
    third.unlink([keys.members(partition, "w", "few"), keys.bits(partition, "w", "many")])
    assert await shard.commit("a", third)
    assert await shard.sizes([("w", "few"), ("w", "many")]) == [0, 0]


async def test_a_zombie_writes_nothing(open_shard: Open) -> None:
    zombie, _ = await claimed(open_shard, "a")
    owner, _ = await claimed(open_shard, "b")
    late = commit_of(zombie, 1, offset=1)
    late.put_fields(keys.profiles(late.partition, "w"), {"ann": b"late"})
    assert not await zombie.commit("a", late)
    assert await owner.profiles("w", ["ann"]) == [None]
    assert await owner.fence() == ("b", 0)
    assert await owner.commit("b", commit_of(owner, 1))
    assert await owner.fence() == ("b", 1)


@pytest.mark.parametrize("number", [1, 3])
async def test_a_commit_out_of_its_order_writes_nothing(open_shard: Open, number: int) -> None:
    shard, _ = await claimed(open_shard)
    assert await shard.commit("a", commit_of(shard, 1))
    commit = commit_of(shard, number)
    commit.put_fields(keys.profiles(commit.partition, "w"), {"ann": b"x"})
    assert not await shard.commit("a", commit)
    assert await shard.profiles("w", ["ann"]) == [None]


async def test_of_several_under_way_all_behind_a_refused_one_are_refused(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    sent = [shard.commit("a", commit_of(shard, number)) for number in (1, 2, 4, 5)]
    assert [bool(applied) for applied in await asyncio.gather(*sent)] == [True, True, False, False]


async def test_a_read_sees_the_commits_before_it_though_they_were_not_awaited(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    commit = commit_of(shard, 1)
    commit.put_fields(keys.profiles(commit.partition, "w"), {"ann": b"1"})
    pending = shard.commit("a", commit)
    assert await shard.profiles("w", ["ann"]) == [b"1"]
    assert await pending


async def test_a_commit_of_any_size_is_one_commit(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    commit = commit_of(shard, 1)
    many = {f"p{n}": b"%d" % n for n in range(20_000)}
    commit.put_fields(keys.profiles(commit.partition, "w"), many)
    commit.score(keys.due(commit.partition), {f"w\0p{n}": n for n in range(20_000)})
    assert max(len(write.arguments) for write in commit.writes) < 4_000
    assert await shard.commit("a", commit)
    assert await shard.count("w") == 20_000
    assert (await shard.profiles("w", ["p19999"])) == [b"19999"]


async def test_a_scan_returns_every_profile_that_was_there(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    commit = commit_of(shard, 1)
    many = {f"p{n}": b"%d" % n for n in range(3_000)}
    commit.put_fields(keys.profiles(commit.partition, "w"), many)
    await shard.commit("a", commit)
    seen: dict[str, bytes] = {}
    cursor, page = await shard.scan("w", 0, 100)
    seen |= page
    while cursor:
        cursor, page = await shard.scan("w", cursor, 100)
        seen |= page
    assert seen == many


async def test_the_outbox_is_read_in_order_and_trimmed_up_to_a_commit(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    for number in range(1, 13):
        commit = commit_of(shard, number)
        if number in (1, 2, 3, 12):
            commit.announce([transition(number)])
        assert await shard.commit("a", commit)
    assert [number for number, _ in await shard.outbox(11, 10)] == [1, 2, 3]
    assert [number for number, _ in await shard.outbox(12, 2)] == [1, 2]
    await shard.trim(2)
    assert await shard.outbox(12, 10) == [(3, [transition(3)]), (12, [transition(12)])]
    await shard.trim(1)
    assert [number for number, _ in await shard.outbox(12, 10)] == [3, 12]


async def test_a_recreated_topic_is_noticed_and_read_from_its_start(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    await shard.commit("a", commit_of(shard, 1, offset=50))
    assert await shard.claim("b", "topic-2") == Head(1, 0, 1_001, 7, recreated=True, restoring=True)
    assert await shard.claim("c", "topic-2") == Head(1, 0, 1_001, 7, restoring=True)


async def test_a_claim_of_one_who_knows_of_a_later_commit_lets_no_reader_in(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    await shard.commit("a", commit_of(shard, 1))
    assert (await shard.claim("b", "topic-1", applied=1, revision=8)).again is None
    assert (await shard.claim("c", "topic-1")).again is None, "it was applied"
    for token, applied in (("d", 2), ("e", 0)):
        assert (await shard.claim(token, "topic-1", applied, revision=9)).again == 9


async def test_a_partition_is_made_anew_by_its_owner_alone(open_shard: Open) -> None:
    shard, _ = await claimed(open_shard)
    number, commit = shard.partition, commit_of(shard, 1, offset=10)
    commit.put_fields(keys.profiles(number, "w"), {"ann": b"1"})
    commit.score(keys.due(number), {"w\0ann": 200})
    commit.announce([transition(1)])
    assert await shard.commit("a", commit)
    begun = Restore(number)
    begun.drop_fields(keys.head(number), ["commit", "offset", "clock", "catalog"])
    begun.put_fields(keys.head(number), {"restoring": "0 1"})
    assert not await shard.commit("b", begun)
    assert await shard.commit("a", begun)
    stored = [keys.due(number), keys.outbox(number), keys.profiles(number, "w")]
    assert sorted(await shard.keys()) == sorted(stored)
    removal = Restore(number)
    removal.unlink(stored)
    assert await shard.commit("a", removal)
    assert await shard.keys() == []
    _, head = await claimed(open_shard, "b")
    assert head == Head(commit=0, offset=0, clock_ms=None, catalog=-1, restoring=True)
    last = Restore(number)
    last.put_fields(keys.profiles(number, "w"), {"bob": b"2"})
    last.put_fields(keys.head(number), {"commit": "7", "offset": "3", "catalog": "2", "clock": "9"})
    last.drop_fields(keys.head(number), ["restoring"])
    assert not await shard.commit("a", last)
    assert await shard.commit("b", last)
    _, head = await claimed(open_shard, "c")
    assert head == Head(commit=7, offset=3, clock_ms=9, catalog=2)
    assert await shard.profiles("w", ["ann", "bob"]) == [None, b"2"]
