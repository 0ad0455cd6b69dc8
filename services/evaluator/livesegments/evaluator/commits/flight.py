"""Commits under way: they are sent one after the other, and their replies come in the same order.

A flight belongs to one claim and ends with the first commit that is refused, or whose reply doesn't come:
`lost` says why. The commits behind that one count for nothing; `records` are the records to be applied again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from livesegments.evaluator.commits.outcome import Outcome
from livesegments.evaluator.ports import Received
from livesegments.runtime import metrics
from livesegments.store.client import Away
from livesegments.store.shard import Shard


class Refused(Exception):
    """The fence refused a commit: another token or another commit number is in the head."""


class Sent(NamedTuple):
    reply: asyncio.Future[bool]
    outcome: Outcome
    records: Sequence[Received]
    at_s: float


class Flight:
    """At most `limit` commits under `token`. `applied` is called for each commit, in order; then `moved`.

    A commit behind one that is answered goes as a transaction, behind others as a script, which costs Redis
    more (`store/fence.py`).
    """

    def __init__(
        self,
        shard: Shard,
        token: str,
        limit: int,
        applied: Callable[[Sent], None],
        moved: Callable[[], None],
    ) -> None:
        self.lost: BaseException | None = None
        self._shard = shard
        self._token = token
        self.limit = limit
        self._applied = applied
        self._moved = moved
        self._sent: deque[Sent] = deque()
        self.newest: asyncio.Future[bool] | None = None
        """The reply to the commit that was sent last."""
        self._room = asyncio.Event()
        self._now_s = asyncio.get_running_loop().time

    @property
    def records(self) -> list[Received]:
        """Those whose commits are under way, or were when the flight was lost."""
        return [record for each in self._sent for record in each.records]

    async def send(self, outcome: Outcome, records: Sequence[Received] = ()) -> asyncio.Future[bool]:
        """Returns once it is under way, with the reply to come; `records` are those that it applies. Raises
        what the flight was lost by."""
        while len(self._sent) >= self.limit and self.lost is None:
            self._room.clear()
            await self._room.wait()
        if self.lost is not None:
            raise self.lost
        reply = self.newest = self._shard.commit(self._token, outcome.commit)
        self._sent.append(Sent(reply, outcome, records, self._now_s()))
        reply.add_done_callback(self._replied)
        await asyncio.sleep(0)
        return reply

    def lose(self, error: BaseException) -> None:
        if self.lost is None:
            self.lost = error
            self._room.set()
            self._moved()

    async def land(self, timeout_s: float) -> None:
        """Waits for what is under way, but not for ever."""
        if self._sent:
            await asyncio.wait([each.reply for each in self._sent], timeout=timeout_s)

    def _replied(self, reply: asyncio.Future[bool]) -> None:
        error = Away("the lane was closed") if reply.cancelled() else reply.exception()
        if self.lost is not None:
            return
        if error is not None:
            self.lose(error)
        elif not reply.result():
            metrics.FENCE_REFUSALS.inc()
            self.lose(Refused())
        else:
            self._applied(self._sent.popleft())
            self._room.set()
            self._moved()
