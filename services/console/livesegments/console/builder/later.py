"""Values that a field offers, which may come while somebody types already: the field is made once, and
filled then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livesegments.client import ApiError
from livesegments.client.by_attribute import preview
from livesegments.console.builder.live import Sends
from livesegments.console.builder.values import shown
from livesegments.console.formats import count

MOST = 200


class Later:
    """Value → what is said beside it. `then` is called with all of them, at once where they are known."""

    def __init__(self, known: dict[str, str] | None = None) -> None:
        self._known = known
        self._waiting: list[Callable[[dict[str, str]], None]] = []

    def then(self, fill: Callable[[dict[str, str]], None]) -> None:
        if self._known is not None:
            fill(self._known)
        else:
            self._waiting.append(fill)

    def come(self, known: dict[str, str]) -> None:
        self._known = known
        for fill in self._waiting:
            fill(known)
        self._waiting.clear()


def plain(value: str | float | bool) -> str | int | float | bool:
    """A whole number without its point: the client reads every number as one with a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Values:
    """The values of attributes with the number of profiles that have each: asked once a page and
    attribute."""

    def __init__(self, api: Sends) -> None:
        self._api = api
        self._of: dict[str, Later] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def of(self, attribute: str, seen: dict[str, str]) -> Later:
        """`seen`: what is offered where the api has no answer."""
        if attribute not in self._of:
            self._of[attribute] = Later()
            task = asyncio.create_task(self._ask(attribute, seen))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        return self._of[attribute]

    async def _ask(self, attribute: str, seen: dict[str, str]) -> None:
        try:
            found = await self._api.send(preview(attribute))
        except ApiError:
            self._of[attribute].come(seen)
            return
        many = {shown(plain(each.value)): count(each.count, "profile") for each in found.values[:MOST]}
        self._of[attribute].come(many or seen)

    def stop(self) -> None:
        for task in self._asking:
            task.cancel()
