"""The live preview: who would be in it, a moment after the last change.

Suppose three keys are pressed within a second. Only what stands there after the third is asked about;
an answer about an earlier state is never shown. Of many profiles an estimate comes first, then the
exact number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from livesegments.client import ApiError, Invalid, Unavailable, Unreachable
from livesegments.client.planning import Plan, Preview, plan, preview
from livesegments.client.request import Request

T = TypeVar("T")
PAUSE_S, AGAIN_S = 0.25, 2.0
SAMPLE = 6


class Sends(Protocol):
    async def send(self, request: Request[T]) -> T: ...


class Seen(Struct, frozen=True):
    """What is known of the present definition. `error`: why no more is known."""

    preview: Preview | None = None
    plan: Plan | None = None
    error: ApiError | None = None
    asking: bool = True


class Live:
    """`show` is called with all that is known, whenever more is."""

    def __init__(
        self,
        api: Sends,
        segment: str | None,
        show: Callable[[Seen], None],
        pause: Callable[[], Awaitable[None]] | None = None,
        again: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`pause`: after a change; `again`: before an api that does not answer is asked once more."""
        self._api, self._segment, self._show = api, segment, show
        self._pause = pause or (lambda: asyncio.sleep(PAUSE_S))
        self._again = again or (lambda: asyncio.sleep(AGAIN_S))
        self._task: asyncio.Task[None] | None = None

    def changed(self, definition: Any, edits: bool = False) -> None:
        """`edits`: it differs from that of the segment, so who would enter and leave is asked, too."""
        self.stop()
        self._task = asyncio.create_task(self._ask(definition, edits and self._segment is not None))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def settled(self) -> None:
        """For tests: until all is known of the present definition."""
        while (task := self._task) is not None and not task.done():
            await asyncio.wait([task])

    async def _ask(self, definition: Any, edits: bool) -> None:
        self._show(Seen())
        await self._pause()
        while not await self._answered(definition, edits):
            await self._again()

    async def _answered(self, definition: Any, edits: bool) -> bool:
        """Whether all is known. While the api is away it is not, and it is asked again."""
        try:
            found = await self._api.send(preview(definition, sample=SAMPLE, estimate=True))
            is_exact = found.margin == 0 and found.cost is not None
            self._show(Seen(found, asking=edits or not is_exact))
            if not is_exact:
                found = await self._api.send(preview(definition, sample=SAMPLE))
                self._show(Seen(found, asking=edits))
            if edits and self._segment is not None:
                planned = await self._api.send(plan(self._segment, definition, sample=SAMPLE))
                self._show(Seen(found, planned, asking=False))
        except ApiError as error:
            self._show(Seen(error=error, asking=False))
            return not isinstance(error, Unreachable | Unavailable)
        return True


def faults(error: ApiError | None) -> list[Any]:
    """Those of a definition that was refused."""
    return [*error.faults] if isinstance(error, Invalid) else []
