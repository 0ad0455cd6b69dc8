"""What fields offer while a builder is open. A page may stand open for hours: names that were seen meanwhile
are offered, too, as soon as somebody opens a condition or types a name that is not known yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from livesegments.client import ApiError
from livesegments.console.builder.later import Later
from livesegments.console.builder.seen import Seen

PAUSE_S = 1.0


class Known:
    """`seen` is what was read last; `again` reads it once more.

    `pause`: between two readings. The last `renew` is always followed by one.
    """

    def __init__(
        self,
        seen: Seen,
        again: Callable[[Seen], Awaitable[Seen]],
        pause: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.seen = seen
        self._again = again
        self._pause = pause or (lambda: asyncio.sleep(PAUSE_S))
        self._offers: list[tuple[Callable[[Seen], dict[str, str]], Later]] = []
        self._wanted = False
        self._reading: asyncio.Task[None] | None = None

    def offers(self, of: Callable[[Seen], dict[str, str]]) -> Later:
        """What `of` makes of what is known; it comes again whenever more is."""
        made = Later(of(self.seen))
        self._offers.append((of, made))
        return made

    def renew(self) -> None:
        self._wanted = True
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._renewed())

    def refresh(self) -> None:
        """What depends on the definition is another now: the properties of another event, for example."""
        self._offers = [(of, later) for of, later in self._offers if later.come(of(self.seen))]

    def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    async def _renewed(self) -> None:
        while self._wanted:
            self._wanted = False
            try:
                self.seen = await self._again(self.seen)
            except ApiError:  # what was known before is offered further
                return
            self.refresh()
            await self._pause()
