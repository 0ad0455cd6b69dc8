"""Attempts while a broker or a store is away: soon at first, then at growing intervals, with jitter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

FIRST_S, LONGEST_S, JITTER_S = 0.1, 2.0, 0.2

Result = TypeVar("Result")


async def until_done(
    call: Callable[[], Awaitable[Result]], *away: type[Exception], longest_s: float = LONGEST_S
) -> Result:
    """What `call` returns, however often it raises one of `away` before; every failure is logged and counted
    (`stamina_retries_total`), and the pauses grow up to `longest_s`. Cancel it to give up.

    A call that succeeds at once costs nothing more, so it may stand on the road of an event.
    """
    try:
        return await call()
    except away as error:
        failures = [error]

    async def again() -> Result:
        if failures:
            raise failures.pop()  # the first attempt was made above
        return await call()

    retries = stamina.AsyncRetryingCaller(
        attempts=None, timeout=None, wait_initial=FIRST_S, wait_max=longest_s, wait_jitter=JITTER_S
    )
    again.__qualname__ = getattr(call, "__qualname__", "call")
    return await retries(away, again)
