"""The one error of the store: `Away`, whatever the driver calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import WatchError

from livesegments.runtime.embedded.ports import free_port
from livesegments.runtime.embedded.redis import Valkey
from livesegments.store.changes import STALE, Change, Changes, NotRestored, Write
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

        def write(field: str, revision: str | None, new: bool = False) -> Write:
            return Write(
                "scope", revision, "{a}:things", field, f"thing/{field}", b"data", "{a}:old", new=new
            )

        with pytest.raises(NotRestored):
            await log.write(write("x", None))
        assert await log.sequence() == -1
        await client.set("{a}:sequence", 4)
        assert await log.write(write("x", "0", new=True)) == 5
        assert await log.write(write("x", "5", new=True)) == STALE
        assert await log.write(write("y", "4")) == STALE
        assert await log.write(write("y", "5")) == 6
        assert await log.outbox() == [Change(5, "thing/x", b"data"), Change(6, "thing/y", b"data")]
        await log.trim(5)
        assert await log.outbox() == [Change(6, "thing/y", b"data")]
