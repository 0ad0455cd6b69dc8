import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from livesegments.runtime.embedded.redis import Valkey
from livesegments.store import lane as lane_module
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
    with pytest.raises(Away, match="NONSENSE"):  # what the server said
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
        async with asyncio.timeout(60):
            await lane.close()


async def _lane_at(answers: Callable[[bytes], bytes]) -> tuple[Lane, asyncio.Server]:
    """A lane to a server of ours, which accepts the driver's greeting, and then answers as it likes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            greeting = b"SETINFO" in data
            writer.write(b"+OK\r\n" * data.count(b"SETINFO") if greeting else answers(data))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    return await Lane.open(f"redis://{host}:{port}"), server


async def test_a_server_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "REPLY_TIMEOUT_S", 0.05)
    lane, server = await _lane_at(lambda _: b"")
    with pytest.raises(Away, match="no reply"):
        await lane.call("PING")
    with pytest.raises(Away):
        await lane.call("PING")
    await lane.close()
    server.close()


@pytest.mark.parametrize("answer", [b"nonsense\r\n", b"+PONG\r\n+PONG\r\n+PONG\r\n"])
async def test_a_server_that_talks_nonsense_is_given_up(answer: bytes) -> None:
    lane, server = await _lane_at(lambda _: answer)
    replies = [lane.call("PING")]
    with suppress(Away):
        await replies[0]
    with pytest.raises(Away):
        while True:
            await lane.call("PING")
    await lane.close()
    server.close()


async def test_what_can_wait_goes_with_the_next_command_or_a_moment_later(redis_url: str) -> None:
    lane = await Lane.open(redis_url)
    later, now = lane.call_later("ECHO", "later"), lane.call("ECHO", "now")
    assert (await later, await now) == (b"later", b"now")
    assert await lane.call_later("ECHO", "alone") == b"alone"
    await lane.close()
