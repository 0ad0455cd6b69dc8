"""How commits get past the fence on a real Valkey: as transactions, and as scripts where others are under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import hiredis
import pytest

from livesegments.runtime.embedded import ports
from livesegments.runtime.embedded.child import Child
from livesegments.runtime.embedded.redis import Valkey
from livesegments.store import keys
from livesegments.store.client import Away, Client, connect
from livesegments.store.commit import Commit
from livesegments.store.shard import RedisShard

PARTITION = 3
PROFILES = keys.profiles(PARTITION, "w")


def commit_of(number: int, writer: str = "a") -> Commit:
    """Its profile's state names the writer."""
    commit = Commit(PARTITION, number, number, 1_000 + number, 7)
    commit.put_fields(PROFILES, {f"p{number}": writer})
    commit.score(keys.members(PARTITION, "w", "s"), {f"p{number}": 0})
    return commit


@asynccontextmanager
async def opened(url: str, token: str = "a") -> AsyncIterator[tuple[RedisShard, int]]:
    """A shard that has claimed the partition, and the number of the last commit."""
    shard = RedisShard(url, PARTITION)
    await shard.open()
    try:
        yield shard, (await shard.claim(token, "topic-1")).commit
    finally:
        await shard.close()


async def run(redis: Any, *command: str | int) -> None:
    await redis.execute_command(*command)


async def calls(redis: Client, command: str) -> int:
    statistics = await redis.info("commandstats")
    return int(statistics.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_commits_one_after_the_other_are_transactions(clean_redis: str) -> None:
    async with connect(clean_redis) as redis, opened(clean_redis) as (shard, _):
        before = await calls(redis, "evalsha"), await calls(redis, "exec")
        for number in range(1, 11):
            assert await shard.commit("a", commit_of(number))
        after = await calls(redis, "evalsha"), await calls(redis, "exec")
        assert (after[0] - before[0], after[1] - before[1]) == (1, 9)
        assert await shard.profiles("w", ["p10"]) == [b"a"]
        assert await shard.fence() == ("a", 10)


async def test_after_several_under_way_transactions_come_again(clean_redis: str) -> None:
    async with connect(clean_redis) as redis, opened(clean_redis) as (shard, _):
        assert all(await asyncio.gather(*(shard.commit("a", commit_of(number)) for number in range(1, 6))))
        before = await calls(redis, "exec")
        for number in range(6, 9):
            assert await shard.commit("a", commit_of(number))
        assert await calls(redis, "exec") - before == 2


async def test_a_server_without_transactions_is_served_by_the_script(clean_redis: str) -> None:
    address = clean_redis.removeprefix("redis://")
    async with connect(clean_redis) as redis:
        await run(redis, "ACL", "SETUSER", "plain", "on", "nopass", "~*", "+@all", "-multi")
        before = await calls(redis, "exec")
        try:
            async with opened(f"redis://plain:x@{address}") as (shard, _):
                for number in range(1, 4):
                    assert await shard.commit("a", commit_of(number))
        finally:
            await run(redis, "ACL", "DELUSER", "plain")
        assert await calls(redis, "exec") - before <= 1, "the one that looked"
        assert await redis.hget(keys.head(PARTITION), "commit") == b"3"


async def test_where_there_is_no_room_nothing_of_a_commit_is_written(clean_redis: str) -> None:
    async with connect(clean_redis) as redis, opened(clean_redis) as (shard, _):
        for number in (1, 2):
            assert await shard.commit("a", commit_of(number))
        await redis.config_set("maxmemory", "1")
        try:
            with pytest.raises(Away, match="OOM"):
                await shard.commit("a", commit_of(3))
        finally:
            await redis.config_set("maxmemory", "0")
        assert await shard.profiles("w", ["p2", "p3"]) == [b"a", None]
        assert await shard.fence() == ("a", 2)


async def test_a_key_that_holds_something_of_others_is_an_error_and_no_success(clean_redis: str) -> None:
    async with connect(clean_redis) as redis, opened(clean_redis) as (shard, _):
        for number in (1, 2):
            assert await shard.commit("a", commit_of(number))
        await redis.set(keys.members(PARTITION, "w", "s"), "mine")
        with pytest.raises(Away, match="in part"):
            await shard.commit("a", commit_of(3))


class Gate:
    """Between a worker and Redis: commands pass one at a time, and before the one at place `at` something is
    done first."""

    def __init__(self, url: str, at: int, first: Callable[[], Awaitable[None]]) -> None:
        self._host, _, self._port = url.removeprefix("redis://").partition("/")[0].partition(":")
        self._at, self._first, self.passed = at, first, 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, ports.HOST, 0)
        host, port = server.sockets[0].getsockname()
        try:
            yield f"redis://{host}:{port}/0"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_connection(self._host, int(self._port))
        commands, replies = hiredis.Reader(), hiredis.Reader(notEnoughData=self)
        with suppress(ConnectionError):  # the worker hangs up at the end
            while data := await reader.read(1 << 20):
                commands.feed(data)
                answer = b""
                while (command := commands.gets()) is not False:
                    if self.passed == self._at:
                        await self._first()
                    self.passed += 1
                    before.write(hiredis.pack_command(tuple(command)))
                    reply = await behind.read(65_536)
                    replies.feed(reply)
                    while replies.gets() is self:
                        more = await behind.read(65_536)
                        replies.feed(more)
                        reply += more
                    answer += reply
                writer.write(answer)  # at once, as Redis answers what came at once
        before.close()
        writer.close()


async def _story(url: str, at: int, together: bool) -> tuple[list[bool], int, dict[bytes, bytes]]:
    """Six commits of `a`, and before its command `at` a claim of `b`, with two commits of its own.

    Which commits of `a` were applied, the number at which `b` went on, and the states; how many commands passed
    is the number where `at` is never reached.
    """
    went_on = 0

    async def claim() -> None:
        nonlocal went_on
        async with opened(url, "b") as (other, number):
            went_on = number
            for more in (1, 2):
                assert await other.commit("b", commit_of(number + more, "b"))

    gate = Gate(url, at, claim)
    async with gate.open() as through:
        shard = RedisShard(through, PARTITION)
        await shard.open()
        try:
            number = (await shard.claim("a", "topic-1")).commit
            wanted = [commit_of(number + more) for more in range(1, 7)]
            if together:
                applied = await asyncio.gather(*(shard.commit("a", commit) for commit in wanted))
            else:
                applied = [await shard.commit("a", commit) for commit in wanted]
        finally:
            await shard.close()
    async with connect(url) as redis:
        states: Any = await redis.hgetall(PROFILES)
        members = await redis.zrange(keys.members(PARTITION, "w", "s"), 0, -1)
        assert set(members) == states.keys()
        await redis.flushdb()
    return [bool(each) for each in applied], went_on if gate.passed > at else -gate.passed, states


@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "together"])
async def test_a_claim_at_any_point_lets_a_zombie_write_nothing(clean_redis: str, together: bool) -> None:
    at = await _first_command(clean_redis)
    while True:
        applied, went_on, states = await _story(clean_redis, at, together)
        if went_on < 0:
            assert applied == [True] * 6 and -went_on == at
            return
        before = applied.index(False) if False in applied else 6
        assert not any(applied[before:]), "all behind a refused commit are refused"
        assert went_on == before, "what was told to be applied is there for the next owner, and nothing else"
        ours = {b"p%d" % n: b"a" for n in range(1, before + 1)}
        assert states == ours | {b"p%d" % (before + more): b"b" for more in (1, 2)}
        at += 1


async def _first_command(url: str) -> int:
    """The place of the first command after the claim: the driver's greeting and opening come before."""
    gate = Gate(url, -1, lambda: asyncio.sleep(0))
    async with gate.open() as through, opened(through):
        passed = gate.passed
    async with connect(url) as redis:
        await redis.flushdb()
    return passed


async def _state_is_ok(client: Client) -> None:
    """Returns when the cluster serves."""
    while True:
        with suppress(Away):
            await client.get("x")
            return


class ClusterServer(Valkey):
    """A Redis Cluster of one server: it refuses keys of different slots in one script or transaction."""

    async def prepare(self) -> Child:
        child = await super().prepare()
        with (self.folder / "valkey.conf").open("a") as configuration:
            configuration.write(f"cluster-enabled yes\ncluster-port {ports.free_port()}\n")
        return child

    async def answers(self) -> None:
        await super().answers()
        async with connect(self.url) as client:
            await run(client, "CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
            async with asyncio.timeout(60):
                await _state_is_ok(client)


async def test_a_cluster_takes_commits_in_both_ways(tmp_path: Path) -> None:
    async with (
        ClusterServer(tmp_path / "valkey") as server,
        connect(server.url) as redis,
        opened(server.url) as (shard, _),
    ):
        for number in (1, 2, 3):
            assert await shard.commit("a", commit_of(number))
        assert all(await asyncio.gather(*(shard.commit("a", commit_of(number)) for number in (4, 5, 6))))
        assert await calls(redis, "exec") == 1 + 3
        assert await shard.fence() == ("a", 6)
