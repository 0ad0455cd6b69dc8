"""Reads of callers that ask at the same time go to the store together, as one pipeline.

Sixteen requests that check a key each cost one round trip, not sixteen. A caller waits for nobody who came
after it: what is asked in one turn of the event loop leaves at its end, and at most `FLIGHT` pipelines are
under way; what is asked meanwhile leaves when one of them is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from livesegments.store.client import Client, away

Command: TypeAlias = Sequence[Any]

FLIGHT = 2
MOST = 64
"""Callers of one pipeline."""


class Together:
    """Get it with `together(store)`: one for all that read with the same client."""

    def __init__(self, store: Client) -> None:
        self._store: Any = store
        self._waiting: list[tuple[Sequence[Command], asyncio.Future[list[Any]]]] = []
        self._flying = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, *commands: Command) -> asyncio.Future[list[Any]]:
        """The replies, in order. Only for reads, which no caller needs in a transaction. Raises Away."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        self._waiting.append((commands, future))
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

    async def _answer(self, asked: Sequence[tuple[Sequence[Command], asyncio.Future[list[Any]]]]) -> None:
        try:
            replies = await self._replies([command for commands, _ in asked for command in commands])
        except BaseException as error:
            for _, future in asked:
                if not future.done():
                    future.set_exception(error if isinstance(error, OSError) else away(error))
            if not isinstance(error, Exception):
                raise
            return
        at = 0
        for commands, future in asked:
            mine, at = replies[at : at + len(commands)], at + len(commands)
            if future.done():
                continue  # its caller has gone
            failed = next((reply for reply in mine if isinstance(reply, Exception)), None)
            if failed is None:
                future.set_result(mine)
            else:
                future.set_exception(away(failed))

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        pipe = self._store.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        replies: list[Any] = await pipe.execute(raise_on_error=False)
        return replies


_made: WeakKeyDictionary[Client, Together] = WeakKeyDictionary()


def together(store: Client) -> Together:
    found = _made.get(store)
    if found is None:
        found = _made[store] = Together(store)
    return found
