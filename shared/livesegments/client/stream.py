"""Transitions as they happen: the lines of server-sent events, and the place at which to go on.

Example: a page shows who enters the segment `vips`, and stops when it is closed:

    async with aclosing(client.transitions("vips")) as heard:
        async for transition in heard:
            show(transition)

The task may be cancelled at any `await` of it: then the connection is closed, and the api stops listening.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from livesegments.client import common
from livesegments.client.errors import ApiError, Refused, Unreadable
from livesegments.client.request import Request, part
from livesegments.client.retry import Retry

QUIET_S = 60.0
"""The api gives a sign of life every 15 s: a stream that is silent for this long is taken for broken."""
MOST_CHARACTERS = 1024 * 1024
"""Of one event; a longer one is none of the api's."""
PATH = "/v1/transitions"
"""No route of `request`: its answer has no end."""
T = TypeVar("T")


class Transition(common.Transition, kw_only=True, frozen=True):
    """A profile entered or left a segment, and where it was heard."""

    place: str = ""
    """Where a later listener goes on behind it: give it as `after`."""


def read(data: str, of: type[T]) -> T:
    """Raises Unreadable."""
    try:
        return msgspec.json.decode(data, type=of)
    except msgspec.MsgspecError as error:
        raise Unreadable(f"an event of the stream: {error}") from error


class Listening:
    """One listener's state, without its connection."""

    def __init__(
        self,
        segment: str | None,
        backfill: bool,
        after: str | None,
        opened: Callable[[str], None] | None,
        subscription: str | None = None,
    ) -> None:
        """Raises ValueError where both a segment and a subscription are given: a subscription has its own."""
        if subscription is not None and (segment is not None or backfill):
            raise ValueError(
                "a subscription says itself of which segments it hears, and whether of backfills"
            )
        self._query: dict[str, Any] = {"segment": segment} if segment is not None else {}
        self._query |= {"backfill": "true"} if backfill else {}
        self._path = (
            PATH
            if subscription is None
            else f"/v1/subscriptions/{part(subscription, 'subscription')}/transitions"
        )
        self.place = after
        self._opened = opened
        self._attempt = 1
        self._data: list[str] = []
        self._event, self._id = "", ""

    def arguments(self) -> dict[str, Any]:
        """Those of httpx' `stream`."""
        self._data, self._event = [], ""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self.place} if self.place else {})
        return {
            "method": "GET",
            "url": self._path,
            "params": self._query,
            "headers": headers,
            "timeout": QUIET_S,
        }

    def line(self, line: str) -> str | None:
        """A transition's JSON, where the line ends one; then `place` is the one behind it."""
        if line:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                self._data.append(value)
                if sum(map(len, self._data)) > MOST_CHARACTERS:
                    raise Unreadable("an event of the stream is too long")
            elif field == "event":
                self._event = value
            elif field == "id":
                self._id = value
            return None
        data, event = "\n".join(self._data), self._event
        self._data, self._event = [], ""
        self.place = self._id or self.place
        self._attempt = 1
        if self._opened is not None and self.place:
            self._opened(self.place)
            self._opened = None
        if not data or event == "end":
            return None
        return data

    def transition(self, data: str) -> Transition:
        """The one that has just come, with its place. Raises Unreadable."""
        return msgspec.structs.replace(read(data, Transition), place=self.place or "")

    def ended(self) -> float:
        """Seconds until it is opened again after the api ended it: it was too slow, or the api ends."""
        return Retry().first_s

    def broke(self, retry: Retry, error: ApiError) -> float:
        """The same where it broke. Raises the error where it is final."""
        request: Request[Any] = Request(method="GET", path=self._path, answer=None)
        pause_s = None if _final(error) else retry.pause_s(request, self._attempt, error)
        if pause_s is None:
            raise error
        self._attempt += 1
        return pause_s


def _final(error: ApiError) -> bool:
    return isinstance(error, Unreadable) or (isinstance(error, Refused) and error.status < 429)
