"""Reads of callers that ask at the same time go to the store together, as one pipeline.

Sixteen requests that check a key each cost one round trip, not sixteen, and what they all ask is asked once.
A caller waits for nobody who came after it: what is asked in one turn of the event loop leaves at its end,
and at most `FLIGHT` pipelines are under way; what is asked meanwhile leaves when one of them is back.

The connections are the pool's, and stay here: the driver's own pipelines take twice the time of all the rest.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import hiredis
from redis.exceptions import RedisError, ResponseError

from livesegments.store.client import WAIT_S, Client, away

Command: TypeAlias = tuple[str | bytes | int, ...]

FLIGHT = 2
MOST = 64
"""Callers of one pipeline."""


class _Asked:
    """What one caller waits for; `last` comes behind everything that anybody asks with it."""

    __slots__ = ("commands", "future", "last")

    def __init__(
        self, commands: Sequence[Command], last: Sequence[Command], future: asyncio.Future[list[Any]]
    ) -> None:
        self.commands = commands
        self.last = last
        self.future = future


class Together:
    """Get it with `together(store)`: one for all that read with the same client."""

    def __init__(self, store: Client) -> None:
        self._pool: Any = store.connection_pool
        self._idle: list[Any] = []
        self._waiting: list[_Asked] = []
        self._flying = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, *commands: Command, last: Sequence[Command] = ()) -> asyncio.Future[list[Any]]:
        """The replies, in order, with those to `last` at the end, which the store meets after the others.

        Only for reads, which no caller needs in a transaction; the replies are not the caller's alone.
        Raises Away.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        self._waiting.append(_Asked(commands, last, future))
        if not self._flying or (len(self._waiting) == 1 and self._flying < FLIGHT):
            self._flying += 1  # those under way take what else comes: they look again before they end
            task = loop.create_task(self._fly())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def one(self, *command: Any) -> Any:
        """The reply to one command. Raises Away."""
        return (await self.ask(command))[0]

    async def _fly(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._answer(asked)
        finally:
            self._flying -= 1

    async def _answer(self, asked: Sequence[_Asked]) -> None:
        try:
            first = dict.fromkeys(command for each in asked for command in each.commands)
            last = dict.fromkeys(command for each in asked for command in each.last)
            replies = await self._replies([*first, *last])
        except BaseException as error:
            for each in asked:
                if not each.future.done():
                    each.future.set_exception(error if isinstance(error, OSError) else away(error))
            if not isinstance(error, Exception):
                raise
            return
        of_first = dict(zip(first, replies, strict=False))
        of_last = dict(zip(last, replies[len(first) :], strict=True))
        for each in asked:
            if each.future.done():
                continue  # its caller has gone
            mine = [of_first[command] for command in each.commands]
            mine += [of_last[command] for command in each.last]
            failed = next((reply for reply in mine if isinstance(reply, Exception)), None)
            if failed is None:
                each.future.set_result(mine)
            else:
                each.future.set_exception(away(failed))

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        """A connection that broke while nobody used it is opened again, once."""
        packed = b"".join(map(hiredis.pack_command, commands))  # type: ignore[arg-type]
        connection = self._idle.pop() if self._idle else await self._pool.get_connection()
        try:
            async with asyncio.timeout(WAIT_S):
                try:
                    return await _talked(connection, packed, commands)
                except TimeoutError:
                    raise
                except (RedisError, OSError):
                    await connection.disconnect(nowait=True)
                    return await _talked(connection, packed, commands)
        except BaseException:
            await connection.disconnect(nowait=True)  # replies that are still to come are nobody's
            raise
        finally:
            self._idle.append(connection)


async def _talked(connection: Any, packed: bytes, commands: Iterable[Command]) -> list[Any]:
    if not connection.is_connected:
        await connection.connect()
    await connection.send_packed_command(packed, check_health=False)
    replies: list[Any] = []
    for _ in commands:
        try:
            # no time of its own for each reply: they all have it together
            replies.append(await connection.read_response(timeout=math.inf, disconnect_on_error=False))
        except ResponseError as error:
            replies.append(error)
    return replies


_made: WeakKeyDictionary[Client, Together] = WeakKeyDictionary()


def together(store: Client) -> Together:
    found = _made.get(store)
    if found is None:
        found = _made[store] = Together(store)
    return found
