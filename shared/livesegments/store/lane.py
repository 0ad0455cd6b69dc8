"""One Redis connection as a lane: commands run in the order in which they were given, each with its reply.

A pool gives every command a connection of its own, and then it is not known which arrives first. A
partition's commits name their predecessors, and its reads must see the commits before them; so it
talks over one connection, without waiting for a reply before it sends the next command.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, TypeAlias

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError, ResponseError

from livesegments.store.client import Away, away

Argument: TypeAlias = str | bytes | int | float

REPLY_TIMEOUT_S = 15.0
"""A server that owes a reply for this many seconds is treated as gone."""

LATER_S = 0.02
"""A command that need not be sent at once waits for the next one for so long."""


class Lane:
    """Open with `await Lane.open(url)`. Every failure of the connection fails all that is under way."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._owed: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []
        self._to_write = asyncio.Event()
        self._to_read = asyncio.Event()
        self._broken: BaseException | None = None
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]

    @classmethod
    async def open(cls, url: str) -> Lane:
        """Raises Away."""
        pool: Any = ConnectionPool.from_url(url, protocol=2, socket_timeout=REPLY_TIMEOUT_S)
        connection = pool.make_connection()
        try:
            await connection.connect()
        except RedisError as error:
            raise away(error) from error
        return cls(connection)

    def call(self, *command: Argument) -> asyncio.Future[Any]:
        """Send at once; the future is the reply.

        It fails with Away if the server refuses, or if the connection breaks: then it is unknown whether the
        command ran.
        """
        reply = self._put(command)
        self._to_write.set()
        return reply

    def call_later(self, *command: Argument) -> asyncio.Future[Any]:
        """The same, but it is sent with the next command, or after `LATER_S`: a system call less."""
        reply = self._put(command)
        asyncio.get_running_loop().call_later(LATER_S, self._to_write.set)
        return reply

    def _put(self, command: tuple[Argument, ...]) -> asyncio.Future[Any]:
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._broken is not None:
            reply.set_exception(Away(f"the lane is closed: {self._broken!r}"))
            return reply
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]
        self._owed.append(reply)
        self._to_read.set()
        return reply

    async def close(self) -> None:
        self._break(Away("closed"))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.disconnect(nowait=True)

    async def _write(self) -> None:
        try:
            while self._broken is None:
                await self._to_write.wait()
                self._to_write.clear()
                packed, self._unsent = b"".join(self._unsent), []
                if not packed:  # it went with an earlier command
                    continue
                await self._connection.send_packed_command(packed, check_health=False)
        except Exception as error:
            self._break(error)

    async def _read(self) -> None:
        try:
            while self._broken is None:
                await self._to_read.wait()
                try:
                    reply = await self._connection.read_response(disconnect_on_error=False)
                except ResponseError as error:
                    self._settle(away(error))
                else:
                    self._settle(reply)
        except Exception as error:
            self._break(error)

    def _settle(self, reply: Any) -> None:
        future = self._owed.popleft()
        if not self._owed:
            self._to_read.clear()
        if future.done():  # its caller was cancelled; the reply is still its own
            return
        if isinstance(reply, Exception):
            future.set_exception(reply)
        else:
            future.set_result(reply)

    def _break(self, error: BaseException) -> None:
        if self._broken is not None:
            return
        self._broken = error
        while self._owed:
            future = self._owed.popleft()
            if not future.done():
                future.set_exception(Away(f"the connection broke: {error!r}"))
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()  # the driver may swallow it, so both loops look at `_broken`, too
