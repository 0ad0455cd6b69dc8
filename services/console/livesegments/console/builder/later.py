"""Values that a field offers, which may come while somebody types already: the field is made once, and
filled then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from livesegments.client import ApiError
from livesegments.client.by_attribute import preview
from livesegments.console.builder.live import Sends
from livesegments.console.builder.values import shown
from livesegments.console.formats import count

MOST = 200


Fill: TypeAlias = Callable[[dict[str, str]], bool]
"""Takes all values; says whether the field is still there."""


class Later:
    """Value → what is said beside it. A field hears of all of them: at once where they are known, and
    whenever others come."""

    def __init__(self, known: dict[str, str] | None = None) -> None:
        self._known = known
        self._fields: list[Fill] = []

    def then(self, fill: Fill) -> None:
        if self._known is None or fill(self._known):
            self._fields.append(fill)

    @property
    def is_heard(self) -> bool:
        """Whether a field that was there when others came last wants them."""
        return bool(self._fields)

    def come(self, known: dict[str, str]) -> bool:
        """Whether any field heard of them."""
        self._known = known
        self._fields = [fill for fill in self._fields if fill(known)]
        return bool(self._fields)


def plain(value: str | float | bool) -> str | int | float | bool:
    """A whole number without its point: the client reads every number as one with a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Values:
    """The values of attributes with the number of profiles that have each: asked once a page and
    attribute, and once more where the api had no answer."""

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
            self._of.pop(attribute).come(seen)
            return
        many = {shown(plain(each.value)): count(each.count, "profile") for each in found.values[:MOST]}
        self._of[attribute].come(many or seen)

    def stop(self) -> None:
        for task in self._asking:
            task.cancel()
