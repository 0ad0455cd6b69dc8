"""Ending tasks that would run for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_S = 0.5


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
