"""Work that is done so and so often in a process, whoever does it: everybody takes turns."""

from __future__ import annotations

import asyncio


class Turns:
    """At most `per_s` turns a second; who has waited longest is the next."""

    def __init__(self, per_s: float) -> None:
        self._every_s = 1 / per_s
        self._one = asyncio.Lock()

    async def take(self) -> None:
        async with self._one:
            await asyncio.sleep(self._every_s)
