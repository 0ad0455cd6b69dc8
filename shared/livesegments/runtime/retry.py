"""Attempts while a broker or a store is away: soon at first, then at growing intervals, with jitter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

FIRST_S, LONGEST_S, JITTER_S = 0.1, 2.0, 0.2

Result = TypeVar("Result")


async def until_done(call: Callable[[], Awaitable[Result]], *away: type[Exception]) -> Result:
    """What `call` returns, however often it raises one of `away` before; every failure is logged and counted
    (`stamina_retries_total`). Cancel it to give up."""
    retries = stamina.AsyncRetryingCaller(
        attempts=None, timeout=None, wait_initial=FIRST_S, wait_max=LONGEST_S, wait_jitter=JITTER_S
    )
    return await retries(away, call)
