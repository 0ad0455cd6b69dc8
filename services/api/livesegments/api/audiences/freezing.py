"""Freezes audiences, a few at a time, in the background of the process that was asked.

An api that dies meanwhile stops saying that it lives: after `LEASE_MS` whoever looks is answered that the
token has failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex

import structlog
from msgspec.structs import replace

from livesegments.api.web.problems import QUOTA, Problem
from livesegments.core.audience import Audience
from livesegments.core.fault import Fault
from livesegments.runtime import tasks
from livesegments.store.audiences import Audiences
from livesegments.store.frozen import PAGE, Frozen, FrozenStore, Gone, Ids
from livesegments.store.seen import Restoring

LEASE_MS = 30_000
ALIVE_S = 5.0
MOST_WAITING = 100
WRITE_PAGES = 20
"""So many fields are written at once."""
QUOTA_FROZEN = f"{QUOTA}frozen_audiences"

_log = structlog.get_logger(__name__)


class Freezer:
    """`most` tokens a workspace, of at most `profiles` profiles each."""

    def __init__(
        self,
        audiences: Audiences,
        frozen: FrozenStore,
        turn: asyncio.Semaphore,
        now_ms: Callable[[], int],
        most: int,
        profiles: int,
    ) -> None:
        self._audiences, self._frozen, self._turn, self._now_ms = audiences, frozen, turn, now_ms
        self._most, self._profiles = most, profiles
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def begin(self, workspace: str, audience: Audience, lifetime_ms: int) -> str:
        """The token. Raises Problem 409 where the workspace has as many as it may, 503 where many wait."""
        if len(self._tasks) >= MOST_WAITING:
            detail = "Many audiences are being frozen just now. Try again."
            raise Problem(503, detail, headers={"Retry-After": "5"})
        now_ms = self._now_ms()
        counts = (0,) * self._audiences.partitions
        made = Frozen(token_hex(16), audience, now_ms, now_ms + lifetime_ms, counts, alive_ms=now_ms)
        await self._frozen.every(workspace, now_ms)  # drops those that have expired
        if not await self._frozen.add(workspace, made, self._most):
            message = f"the workspace has {self._most} frozen audiences, the most: delete some, or wait"
            fault = Fault("", QUOTA_FROZEN, message)
            raise Problem(409, "There are as many frozen audiences as may be.", [fault])
        self._tasks[made.token] = asyncio.create_task(self._freeze(workspace, made, lifetime_ms))
        return made.token

    async def done(self, token: str, within_s: float) -> None:
        """Returns once it is frozen, or has failed, or this time is over."""
        task = self._tasks.get(token)
        if task is not None:
            await asyncio.wait([task], timeout=within_s)

    async def close(self) -> None:
        await tasks.cancelled(list(self._tasks.values()))

    async def _freeze(self, workspace: str, made: Frozen, keep_ms: int) -> None:
        told = [made]
        ended = asyncio.Event()
        living = asyncio.create_task(self._living(workspace, told, ended))
        failed: str | None = None
        try:
            async with self._turn:
                lives = await self._audiences.heads.look()
                for partition in range(self._audiences.partitions):
                    await self._partition(workspace, told, partition, keep_ms)
                if await self._audiences.heads.lives() != lives:
                    failed = "the store was made anew meanwhile: freeze it again"
        except Gone:
            return  # it was deleted
        except (OSError, Restoring, TooMany) as error:
            failed = str(error)
        finally:
            ended.set()
            await living
            self._tasks.pop(made.token, None)
        made = replace(told[0], failed=failed) if failed else replace(told[0], ended_ms=self._now_ms())
        with suppress(Gone, OSError):
            await self._frozen.put(workspace, made)
        if failed:
            _log.warning("an audience was not frozen", workspace=workspace, reason=failed)

    async def _partition(self, workspace: str, told: list[Frozen], partition: int, keep_ms: int) -> None:
        """`told[0]`: how far it is."""
        waiting: list[str] = []
        numbers: list[int] = []
        last, page, more = 0, 0, True
        while more:
            piece = await self._audiences.piece(workspace, told[0].audience, partition, last)
            waiting += piece.ids
            numbers += piece.numbers
            last, more = piece.last, bool(piece.last)
            if told[0].count + len(waiting) > self._profiles:
                raise TooMany(f"it has more than {self._profiles:,} profiles: split it, and freeze its parts")
            whole = len(waiting) // PAGE if more else -(-len(waiting) // PAGE)
            if whole and (whole >= WRITE_PAGES or not more):
                pages = {
                    page + at: Ids(waiting[at * PAGE :][:PAGE], numbers[at * PAGE :][:PAGE][-1])
                    for at in range(whole)
                }
                now = told[0]
                size = await self._frozen.write(workspace, now.token, partition, pages, keep_ms)
                counts = list(now.counts)
                counts[partition] += sum(len(each.ids) for each in pages.values())
                told[0] = replace(now, counts=tuple(counts), size=now.size + size)
                page, waiting, numbers = page + whole, waiting[whole * PAGE :], numbers[whole * PAGE :]

    async def _living(self, workspace: str, told: list[Frozen], ended: asyncio.Event) -> None:
        """Not cancelled: a late write of it would come after the last one."""
        with suppress(Gone, OSError):
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), ALIVE_S)
                    return
                told[0] = replace(told[0], alive_ms=self._now_ms())
                await self._frozen.put(workspace, told[0])


class TooMany(Exception):
    """There are more profiles in it than may be frozen at once."""
