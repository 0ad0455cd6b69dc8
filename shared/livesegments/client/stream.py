"""Transitions as they happen: the lines of server-sent events, and the place at which to go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from livesegments.client.errors import ApiError, Refused, Unreadable
from livesegments.client.request import Request
from livesegments.client.retry import Retry

QUIET_S = 60.0
"""The api gives a sign of life every 15 s: a stream that is silent for this long is taken for broken."""
MOST_CHARACTERS = 1024 * 1024
"""Of one event; a longer one is none of the api's."""
PATH = "/v1/transitions"
"""No route of `request`: its answer has no end."""


class Transition(Struct, kw_only=True, frozen=True):
    """A profile entered or left a segment. `id` is the same however often it is heard; `sequence` counts
    those of this profile and segment from 1. `computed`: the computed attributes that the definition asks
    about, as they were. `place` is where a later listener goes on: give it as `after`."""

    id: str
    workspace: str
    segment: str
    profile: str
    kind: Literal["entered", "exited"]
    at: datetime
    sequence: int
    cause: str
    event_id: str | None
    version: int
    computed: dict[str, str | float | bool] | None = None
    place: str = ""


class Listening:
    """One listener's state, without its connection."""

    def __init__(
        self, segment: str | None, backfill: bool, after: str | None, opened: Callable[[str], None] | None
    ) -> None:
        self._query: dict[str, Any] = {"segment": segment} if segment is not None else {}
        self._query |= {"backfill": "true"} if backfill else {}
        self.place = after
        self._opened = opened
        self._attempt = 1
        self._data: list[str] = []
        self._event, self._id = "", ""

    def arguments(self) -> dict[str, Any]:
        """Those of httpx' `stream`."""
        self._data, self._event = [], ""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self.place} if self.place else {})
        return {"method": "GET", "url": PATH, "params": self._query, "headers": headers, "timeout": QUIET_S}

    def line(self, line: str) -> Transition | None:
        """A transition, where the line ends one."""
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
        try:
            heard = msgspec.json.decode(data, type=Transition)
        except msgspec.MsgspecError as error:
            raise Unreadable(f"an event of the stream: {error}") from error
        return msgspec.structs.replace(heard, place=self.place or "")

    def ended(self) -> float:
        """Seconds until it is opened again after the api ended it: it was too slow, or the api ends."""
        return Retry().first_s

    def broke(self, retry: Retry, error: ApiError) -> float:
        """The same where it broke. Raises the error where it is final."""
        request: Request[Any] = Request(method="GET", path=PATH, answer=None)
        pause_s = None if _final(error) else retry.pause_s(request, self._attempt, error)
        if pause_s is None:
            raise error
        self._attempt += 1
        return pause_s


def _final(error: ApiError) -> bool:
    return isinstance(error, Unreadable) or (isinstance(error, Refused) and error.status < 429)
