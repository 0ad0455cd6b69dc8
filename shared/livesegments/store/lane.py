"""One Redis connection as a lane: commands run in the order in which they were given, each with its reply.

A pool gives every command a connection of its own, and then it is not known which arrives first. A
partition's commits name their predecessors, and its reads must see the commits before them; so it
talks over one connection, without waiting for a reply before it sends the next command.

The driver makes the connection: the URL, TLS, the login. Then the lane is the protocol of its transport: a
command is written where it is given, and a reply is in its future as soon as its bytes are read. The
driver's own ways of writing and reading take a task, a timeout and a buffer for each. They were a sixth of
what the worker spends on a record with one event.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError

from livesegments.store.client import Away, away
from livesegments.store.encoded import Argument, packed

REPLY_TIMEOUT_S = 15.0
"""A server that owes a reply for this many seconds is treated as gone."""

LATER_S = 0.02
"""A command that need not be sent at once waits for the next one for so long."""

_INCOMPLETE = object()


class Lane(asyncio.Protocol):
    """Open with `await Lane.open(url)`. Every failure of the connection fails all that is under way."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._owed: deque[asyncio.Future[Any] | None] = deque()
        """None: a reply that nobody waits for."""
        self._said: hiredis.ReplyError | None = None
        """An error among the replies that nobody waited for; the next one that somebody waits for has it."""
        self._unsent: list[bytes] = []
        self._broken: BaseException | None = None
        self._reader = hiredis.Reader(notEnoughData=_INCOMPLETE)
        self._heard_s = 0.0
        """When the server last sent something, or owed nothing."""
        self._looking: asyncio.TimerHandle | None = None
        writer = connection._writer
        assert writer is not None, "the connection is open"
        self._transport = cast(asyncio.Transport, writer.transport)
        self._transport.set_protocol(self)

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
        self._send()
        return reply

    def call_later(self, *command: Argument) -> asyncio.Future[Any]:
        """The same, but it is sent with the next command, or after `LATER_S`: a system call less."""
        reply = self._put(command)
        self._loop.call_later(LATER_S, self._send)
        return reply

    def together(
        self, commands: Sequence[Sequence[Argument]], awaited: Collection[int]
    ) -> list[asyncio.Future[Any]]:
        """Sent with no other command between them; the replies to those at the places `awaited`.

        A reply that nobody waits for, and that is an error, fails the next one that is awaited.
        """
        replies = [self._loop.create_future() if n in awaited else None for n in range(len(commands))]
        self._owe(b"".join([packed(each) for each in commands]), replies)
        self._send()
        return [reply for reply in replies if reply is not None]

    async def close(self) -> None:
        self._break(Away("closed"))
        await self._connection.disconnect(nowait=True)

    # -- what the transport calls

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        self._heard_s = self._loop.time()
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not _INCOMPLETE:
                self._settle(reply)
        except hiredis.HiredisError as error:
            self._give_up(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(exc or EOFError("the server closed it"))

    # -- inside

    def _put(self, command: tuple[Argument, ...]) -> asyncio.Future[Any]:
        reply: asyncio.Future[Any] = self._loop.create_future()
        self._owe(packed(command), (reply,))
        return reply

    def _owe(self, data: bytes, replies: Sequence[asyncio.Future[Any] | None]) -> None:
        if self._broken is not None:
            for reply in replies:
                if reply is not None:
                    reply.set_exception(Away(f"the lane is closed: {self._broken!r}"))
            return
        self._unsent.append(data)
        if not self._owed:
            self._heard_s = self._loop.time()
        self._owed.extend(replies)
        if self._looking is None:
            self._looking = self._loop.call_at(self._heard_s + REPLY_TIMEOUT_S, self._look)

    def _send(self) -> None:
        if self._unsent and self._broken is None:  # else it went with an earlier command
            unsent, self._unsent = self._unsent, []
            self._transport.writelines(unsent)

    def _look(self) -> None:
        """Whether the server has been silent for too long."""
        self._looking = None
        if self._owed:
            silent_s = self._heard_s + REPLY_TIMEOUT_S
            if self._loop.time() >= silent_s:
                self._give_up(TimeoutError(f"no reply for {REPLY_TIMEOUT_S:g} s"))
            else:
                self._looking = self._loop.call_at(silent_s, self._look)

    def _settle(self, reply: Any) -> None:
        if not self._owed:
            self._give_up(RuntimeError("a reply to no command"))
            return
        future = self._owed.popleft()
        if future is None:
            if isinstance(reply, hiredis.ReplyError) and self._said is None:
                self._said = reply
            return
        said, self._said = self._said, None
        if future.done():  # its caller was cancelled; the reply is still its own
            return
        if said is not None or isinstance(reply, hiredis.ReplyError):
            future.set_exception(away(said or reply))
        else:
            future.set_result(reply)

    def _give_up(self, error: BaseException) -> None:
        """Of a connection that is there but is of no use."""
        self._break(error)
        self._transport.abort()

    def _break(self, error: BaseException) -> None:
        if self._broken is not None:
            return
        self._broken = error
        if self._looking is not None:
            self._looking.cancel()
        while self._owed:
            future = self._owed.popleft()
            if future is not None and not future.done():
                future.set_exception(Away(f"the connection broke: {error!r}"))
