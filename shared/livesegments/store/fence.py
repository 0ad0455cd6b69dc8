"""Law 3: how a commit gets past the fence. Most go as transactions, which cost Redis less than a script.

Commit 7 goes as `MULTI`, its writes, `EXEC`, and in the same flight `WATCH head` and `HMGET head owner
commit`. If the reply is our token and 7, the head was ours when the `HMGET` ran, and it has been watched
since before. So the `EXEC` of commit 8 writes only if nobody has touched the head in between: a claim before
the `HMGET` shows in its reply, and a later one makes Redis refuse the `EXEC`.

A commit that doesn't wait for that reply, because others are under way before it, goes as the script
`APPLY`, which compares for itself. It writes the head, and so it ends the watch. The fence is the same on
both ways; they differ in cost alone (decision 49).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from livesegments.store.client import Away
from livesegments.store.commit import Commit, Restore
from livesegments.store.encoded import Argument
from livesegments.store.lane import Lane


class Fence:
    """Of one lane to one partition. What else changes the head on that lane must `step_over` the fence."""

    def __init__(self, lane: Lane, head: str) -> None:
        self._lane = lane
        self._watch = ("WATCH", head)
        self._look = ("HMGET", head, "owner", "commit")
        self._transactions = False
        self._seen: tuple[str, int] | None = None
        """The owner and the commit number that the head has had since it is watched, as far as known."""
        self._turn = 0
        """Counts what was sent that changes the head."""
        self._under_way = 0

    async def open(self) -> None:
        """Looks whether the server allows transactions; if it doesn't, every commit is a script."""
        try:
            self._transactions = await self._lane.together([("MULTI",), ("EXEC",)], (1,))[0] == []
        except Away:
            self._transactions = False

    def step_over(self) -> None:
        self._turn += 1
        self._seen = None

    def send(self, token: str, commit: Commit) -> asyncio.Future[bool]:
        """The reply is true if the commit is applied, and false if it is refused."""
        seen = self._seen
        self.step_over()
        if isinstance(commit, Restore):
            return self._lane.call(*commit.call(token))
        if seen == (token, commit.number - 1):
            commands = [("MULTI",), *commit.commands(), ("EXEC",)]
            applied = self._look_behind(commands, len(commands) - 1)
        elif self._transactions and not self._under_way:
            applied = self._look_behind([commit.call(token), ("UNWATCH",)], 0)
        else:
            applied = self._lane.call(*commit.call(token))
        self._under_way += 1
        applied.add_done_callback(self._landed)
        return applied

    def _look_behind(self, commands: list[Sequence[Argument]], place: int) -> asyncio.Future[bool]:
        """Sends a commit and watches the head that it leaves. Its reply is that to the command at `place`."""
        commands += (self._watch, self._look)
        replied, head = self._lane.together(commands, (place, len(commands) - 1))
        applied: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        replied.add_done_callback(partial(_read, applied))
        head.add_done_callback(partial(self._saw, self._turn))  # before anybody learns of `applied`
        return applied

    def _saw(self, turn: int, head: asyncio.Future[Any]) -> None:
        if head.cancelled() or head.exception() is not None or turn != self._turn:
            return
        owner, number = head.result()
        if owner is not None:
            self._seen = owner.decode(), int(number or 0)

    def _landed(self, applied: asyncio.Future[bool]) -> None:
        self._under_way -= 1


def _read(applied: asyncio.Future[bool], replied: asyncio.Future[Any]) -> None:
    """The script's reply is 1 or 0; EXEC's is None if it was refused, and else has one of every command."""
    if applied.done():
        return
    error = Away("the lane was closed") if replied.cancelled() else replied.exception()
    reply = None if error is not None else replied.result()
    if isinstance(reply, list):
        broken = next((each for each in reply if isinstance(each, Exception)), None)
        if broken is not None:
            error = Away(f"a commit was written in part, because a key holds something of others: {broken!r}")
    if error is not None:
        applied.set_exception(error)
    else:
        applied.set_result(bool(reply))
