"""Reads of a partition that is made anew, or is behind what it was, are answered to nobody."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from livesegments.core.states import STATES
from livesegments.store import keys
from livesegments.store.client import Client, connect
from livesegments.store.members import Members
from livesegments.store.profiles import Profiles
from livesegments.store.seen import Restoring
from livesegments.store.standing import Heads

PARTITIONS = 2


@pytest.fixture
async def store(clean_redis: str) -> AsyncIterator[Client]:
    """Two partitions with a member each, both at offset 10."""
    async with connect(clean_redis) as client:
        await filled(client)
        yield client


async def filled(client: Client, restored: str = "") -> None:
    for partition in range(PARTITIONS):
        await client.zadd(keys.members(partition, "w", "s"), {f"p{partition}": 1})
        await head(
            client,
            partition,
            commit=7,
            offset=10,
            topic="t",
            states=STATES,
            **({"restored": restored} if restored else {}),
        )


async def head(client: Client, partition: int, **fields: str | int) -> None:
    flat = [part for pair in fields.items() for part in pair]
    await client.execute_command("HSET", keys.head(partition), *flat)  # type: ignore[no-untyped-call]


async def test_while_a_partition_is_made_anew_nothing_is_counted(store: Client) -> None:
    heads = Heads(store, PARTITIONS)
    members, profiles = Members(store, heads), Profiles(store, heads)
    assert await members.count("w", "s") == 2
    await store.hdel(keys.head(1), "commit", "offset")
    await head(store, 1, restoring="4000 125000")
    for read in (members.count("w", "s"), members.page("w", "s", None, 9), profiles.get("w", ["p0"])):
        with pytest.raises(Restoring, match="4,000 of 125,000 profiles"):
            await read
    with pytest.raises(Restoring):
        # also for a reader that has seen nothing before
        await Members(store, Heads(store, PARTITIONS)).count("w", "s")
    await store.hdel(keys.head(1), "restoring")
    await head(store, 1, commit=7, offset=10, restored="a")
    assert await members.count("w", "s") == 2


async def test_what_is_behind_what_was_seen_is_not_counted(store: Client) -> None:
    members = Members(store, Heads(store, PARTITIONS))
    assert await members.count("w", "s") == 2
    await store.flushall()
    with pytest.raises(Restoring, match="partition 0 has applied 0 of 10 records again"):
        await members.count("w", "s")
    await filled(store)
    assert await members.count("w", "s") == 2
    await head(store, 0, offset=3)
    with pytest.raises(Restoring, match="3 of 10"):
        await members.count("w", "s")
    await head(store, 0, topic="another")
    assert await members.count("w", "s") == 2


async def test_what_was_read_before_the_store_was_whole_again_is_read_again(store: Client) -> None:
    members, reads = Members(store, Heads(store, PARTITIONS)), list[int]()

    async def read() -> int:
        reads.append(len(reads))
        if len(reads) == 1:
            await head(store, 0, restored="a")  # all of it is restored between the read and the look
        return len(reads)

    assert await members.heads.whole(read) == 2
    assert await members.heads.whole(read) == 3


async def test_what_the_broker_says_while_the_heads_are_read_is_of_later_than_they_are(
    store: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = Heads(store, PARTITIONS)
    members, ask = Members(store, heads), heads._together.ask

    async def ask_and_be_late(*commands: Any, last: Any = ()) -> Any:
        replies = await ask(*commands, last=last)
        await head(store, 0, offset=12)
        heads.expect({0: 12})
        return replies

    assert await members.count("w", "s") == 2
    await head(store, 0, offset=11)
    with monkeypatch.context() as patched:
        patched.setattr(heads._together, "ask", ask_and_be_late)
        assert await members.count("w", "s") == 2
    await head(store, 0, offset=11)
    with pytest.raises(Restoring, match="11 of 12"):
        await members.count("w", "s")
