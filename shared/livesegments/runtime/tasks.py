"""Tasks that run for ever: going on after an error of ours, and ending them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

AGAIN_S = 0.5
ANEW_S = 1.0

_log = structlog.get_logger(__name__)


async def kept_going(run: Callable[[], Awaitable[None]]) -> None:
    """Runs what would run for ever, anew where a fault of ours ended it: nobody else would notice."""
    while True:
        try:
            return await run()
        except Exception as error:
            _log.error("a bug ended what runs in the background: it begins anew", exc_info=error)
            await asyncio.sleep(ANEW_S)


async def cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Returns once all tasks are over; their results and errors stay with them.

    A client library may swallow a cancellation that meets an answer (redis-py does, and so does
    `asyncio.wait_for` of Python 3.11). A loop around such a call then goes on as if nothing had been asked of
    it, so a task that goes on is cancelled again.
    """
    going = {task for task in tasks if not task.done()}
    while going:
        for task in going:
            task.cancel()
        _, going = await asyncio.wait(going, timeout=AGAIN_S)
