"""Work that only one process of the api does at a time: whoever has its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog

from livesegments.runtime import tasks
from livesegments.store.client import Away
from livesegments.store.turn import TURN_S, Turn

_log = structlog.get_logger(__name__)


async def in_turn(turn: Turn, work: Coroutine[Any, Any, None], what: str) -> None:
    """Does the work while the turn, which was taken, is ours; ends it where the turn has gone to another.

    Raises nothing that the work raises: it has to see to its own errors."""
    working = asyncio.create_task(work)
    renewing = asyncio.create_task(_renewed(turn))
    try:
        await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # a renewal that swallowed its cancellation would else go on for ever, and hold up other jobs
        await tasks.cancelled([working, renewing])
        try:
            await turn.give()
        except Away:
            _log.warning("a turn can't be given back", of=what)


async def _renewed(turn: Turn) -> None:
    """Returns when the turn has gone to another."""
    with suppress(Away):
        while await turn.renew():  # noqa: ASYNC110
            await asyncio.sleep(TURN_S / 4)
