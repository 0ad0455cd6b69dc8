"""The pages of a list that the api gives by cursors. Example:

page = await paging.newest(visit.api.send(request(paging.cursor)))
if page is not None:  # nothing else was asked for meanwhile
    …
    paging.foot(len(page.members), page.next_cursor)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from livesegments.console import formats
from livesegments.console.parts.button import button
from livesegments.console.parts.tag import Tag

T = TypeVar("T")


class Paging:
    """`name`: for screen readers, "Pages of members". `size`: rows of a page. `turned` shows the page whose
    cursor is the current one. `unit`: what rows are, where a list of one page says how many there are."""

    def __init__(self, name: str, size: int, turned: Callable[[], Awaitable[None]], unit: str = "") -> None:
        self._name, self._size, self._turned, self._unit = name, size, turned, unit
        self._cursors: list[str | None] = [None]
        """Of the page that is shown, and of those before it."""
        self._asked = 0

    @property
    def cursor(self) -> str | None:
        return self._cursors[-1]

    @property
    def is_first(self) -> bool:
        return len(self._cursors) == 1

    def restart(self) -> None:
        """The list is another one: its first page comes next."""
        self._cursors = [None]

    async def newest(self, answer: Awaitable[T]) -> T | None:
        """What was asked for last is shown: None for an answer that something else has overtaken."""
        self._asked += 1
        return await self.unless_turned(answer)

    async def unless_turned(self, answer: Awaitable[T]) -> T | None:
        """For a look at what is shown: None where something else was asked for meanwhile."""
        asked = self._asked
        found = await answer
        return found if asked == self._asked else None

    def foot(self, many: int, after: str | None) -> None:
        """Below the `many` rows of the page. `after`: the cursor of the next one; None: this is the last."""
        if self.is_first and after is None and self._unit:
            Tag("p", formats.count(many, self._unit), "muted small")
            return
        first = (len(self._cursors) - 1) * self._size + 1
        with Tag("nav", "", "pager", aria_label=self._name):
            Tag("span", f"{formats.number(first)} to {formats.number(first + many - 1)}", "muted small")
            with Tag("span", "", "row"):
                button("Previous", self._back, disabled=self.is_first)
                button("Next", lambda: self._on(after), disabled=after is None)

    async def _back(self) -> None:
        self._cursors.pop()
        await self._turned()

    async def _on(self, after: str | None) -> None:
        self._cursors.append(after)
        await self._turned()
