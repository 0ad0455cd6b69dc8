"""What fields offer while a builder is open. A page may stand open for hours: names that were seen meanwhile
are offered, too, as soon as somebody opens a condition or types a name that is not known yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from livesegments.client import ApiError
from livesegments.console.builder.later import Later
from livesegments.console.builder.seen import Seen

PAUSE_S = 1.0
MOST_SEGMENTS = 5_000
"""Of those that searches found, the newest stay."""


class Known:
    """`seen` is what was read last; `again` reads it once more. `find` searches the segments, id → name,
    where a workspace has more than were read when the builder was opened.

    `pause`: between two readings. The last `renew` is always followed by one, and so is the last text that is
    sought.
    """

    def __init__(
        self,
        seen: Seen,
        again: Callable[[Seen], Awaitable[Seen]],
        pause: Callable[[], Awaitable[None]] | None = None,
        find: Callable[[str], Awaitable[dict[str, str]]] | None = None,
    ) -> None:
        self.seen = seen
        self._again = again
        self._pause = pause or (lambda: asyncio.sleep(PAUSE_S))
        self._offers: list[tuple[Callable[[Seen], dict[str, str]], Later]] = []
        self._wanted = False
        self._reading: asyncio.Task[None] | None = None
        self._find, self._sought = find, ""
        self._seeking: asyncio.Task[None] | None = None

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

    def seek(self, text: str) -> None:
        """Segments with this text in their id or name are known soon."""
        if self._find is None or not text or self.seen.has_all_segments:
            return
        self._sought = text
        if self._seeking is None or self._seeking.done():
            self._seeking = asyncio.create_task(self._sought_for(self._find))

    def stop(self) -> None:
        for task in (self._reading, self._seeking):
            if task is not None:
                task.cancel()

    async def _sought_for(self, find: Callable[[str], Awaitable[dict[str, str]]]) -> None:
        text = ""
        while text != self._sought:
            text = self._sought
            try:
                found = await find(text)
            except ApiError:
                return
            segments = {id_: name for id_, name in self.seen.segments.items() if id_ not in found} | found
            self.seen = replace(self.seen, segments=dict([*segments.items()][-MOST_SEGMENTS:]))
            self.refresh()

    async def _renewed(self) -> None:
        while self._wanted:
            self._wanted = False
            try:
                self.seen = await self._again(self.seen)
            except ApiError:  # what was known before is offered further
                return
            self.refresh()
            await self._pause()
