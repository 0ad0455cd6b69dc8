"""The one error of the store: `Away`, whatever the driver calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import WatchError

from livesegments.runtime.embedded.ports import free_port
from livesegments.runtime.embedded.redis import Valkey
from livesegments.store.changes import STALE, Change, Changes, NotRestored, Put, Since, Write
from livesegments.store.client import Away, Client, connect


def piped(client: Client) -> Any:
    pipe: Any = client.pipeline()
    return pipe.set("x", 1)


async def test_nobody_there_is_away() -> None:
    async with connect(f"redis://127.0.0.1:{free_port()}/0") as client:
        with pytest.raises(Away):
            await client.get("x")
        with pytest.raises(Away):
            await piped(client).execute()


async def test_a_server_that_dies_is_away(tmp_path: Path) -> None:
    async with Valkey(tmp_path / "valkey") as server, connect(server.url) as client:
        await client.set("x", 1)
        await server.kill()
        with pytest.raises(Away):
            await client.get("x")


async def test_a_server_without_room_is_away(tmp_path: Path) -> None:
    async with Valkey(tmp_path / "valkey") as server, connect(server.url) as client:
        await client.config_set("maxmemory", "1")
        with pytest.raises(Away):
            await client.set("x", 1)
        with pytest.raises(Away):
            await piped(client).execute()
        with pytest.raises(Away):
            await client.register_script("return redis.call('SET', KEYS[1], 1)")(keys=["x"])


async def test_what_the_driver_answers_itself_comes_through(clean_redis: str) -> None:
    async with connect(clean_redis) as client:
        script: Any = client.register_script("return 7")
        assert await script() == 7  # unknown to the server at first
        async with client.pipeline(transaction=True) as pipe:
            await pipe.watch("x")
            await client.set("x", 1)
            pipe.multi()  # type: ignore[no-untyped-call]
            pipe.set("x", 2)
            with pytest.raises(WatchError):
                await pipe.execute()


async def test_a_sequence_log_serves_any_kind_of_entry(clean_redis: str) -> None:
    async with connect(clean_redis) as client:
        log = Changes(client, "{a}:sequence", "{a}:revisions", "{a}:outbox")

        def write(revision: str | None, *fields: str, new: bool = False) -> Write:
            puts = tuple(Put(field, f"thing/{field}", b"data") for field in fields)
            return Write("scope", revision, "{a}:things", puts, "{a}:old", "{a}:changed", new)

        with pytest.raises(NotRestored):
            await log.write(write(None, "x"))
        assert await log.sequence() == -1
        await client.set("{a}:sequence", 4)
        assert await log.write(write("0", "x", new=True)) == 5
        assert await log.write(write("5", "w", "x", new=True)) == STALE
        assert await log.write(write("4", "y")) == STALE
        assert await log.write(write("5", "y", "z")) == 7
        written = [
            Change(number, f"thing/{field}", b"data") for number, field in ((5, "x"), (6, "y"), (7, "z"))
        ]
        assert await log.outbox() == written
        await log.trim(5)
        assert await log.outbox() == written[1:]


async def test_what_changed_since_a_revision_is_read_alone(clean_redis: str) -> None:
    async with connect(clean_redis) as client:
        log = Changes(client, "{a}:sequence", "{a}:revisions", "{a}:outbox")
        places = "{a}:things", "{a}:old", "{a}:changed"

        async def put(field: str, value: bytes, retired: str = "") -> None:
            puts = (Put(field, field, value, retired),)
            await log.write(Write("scope", None, places[0], puts, places[1], places[2]))

        await client.set("{a}:sequence", 0)
        for field in ("x", "y", "z"):
            await put(field, b"1")
        assert await log.since("scope", "3", *places) == Since("3", {})
        await put("y", b"2")
        await put("z", b"", retired="7")
        assert await log.since("scope", "3", *places) == Since("5", {"y": (b"2", None), "z": (None, b"7")})
        assert await log.since("scope", "4", *places) == Since("5", {"z": (None, b"7")})
        # after a restore no revision from before is followed
        await client.hset("{a}:revisions", "scope", "5-beef")
        assert await log.since("scope", "4", *places) is None
        await put("x", b"3")
        assert await client.hget("{a}:revisions", "scope") == b"6-beef"
        assert await log.since("scope", "5", *places) is None
        assert await log.since("scope", "5-beef", *places) == Since("6-beef", {"x": (b"3", None)})
