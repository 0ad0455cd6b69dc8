import asyncio
from pathlib import Path

import pytest

from livesegments.runtime.embedded.redis import Valkey
from livesegments.store.client import Away
from livesegments.store.lane import Lane


async def test_replies_come_to_their_commands_in_order(redis_url: str) -> None:
    lane = await Lane.open(redis_url)
    replies = [lane.call("ECHO", str(n)) for n in range(1_000)]
    assert [int(await reply) for reply in replies] == list(range(1_000))
    await lane.close()


async def test_a_refused_command_fails_alone(redis_url: str) -> None:
    lane = await Lane.open(redis_url)
    bad, good = lane.call("NONSENSE"), lane.call("ECHO", "x")
    with pytest.raises(Away):
        await bad
    assert await good == b"x"
    await lane.close()


async def test_a_cancelled_caller_does_not_shift_the_replies(redis_url: str) -> None:
    lane = await Lane.open(redis_url)
    first, second = lane.call("ECHO", "1"), lane.call("ECHO", "2")
    first.cancel()
    assert await second == b"2"
    await lane.close()


async def test_a_dead_server_fails_what_is_under_way_and_what_follows(tmp_path: Path) -> None:
    async with Valkey(tmp_path / "valkey") as server:
        lane = await Lane.open(server.url)
        waiting = lane.call("BLPOP", "nothing", "0")
        await server.kill()
        with pytest.raises(Away):
            await waiting
        with pytest.raises(Away):
            await lane.call("ECHO", "x")
        await lane.close()


async def test_a_lane_closes_after_its_server_died_as_a_command_was_given(tmp_path: Path) -> None:
    async with Valkey(tmp_path / "valkey") as server:
        lane = await Lane.open(server.url)
        await lane.call("PING")
        await server.kill()
        with pytest.raises(Away):
            await lane.call("PING")  # the writer and the reader both notice that it is dead
        async with asyncio.timeout(5):
            await lane.close()
