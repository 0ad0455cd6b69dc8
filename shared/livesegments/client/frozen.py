"""Frozen audiences: just those who were in one at an instant, and what has changed since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from livesegments.client import request
from livesegments.client.audiences import Advice, AudiencePage
from livesegments.client.request import Pages, Request, get, post


class Frozen(Struct, kw_only=True, frozen=True):
    """Every profile was looked at once, at an instant between `begun_at` and `frozen_at`."""

    token: str
    """Names it."""
    state: str
    """Pages can be read once it is `ready`; `failed`: freeze it again."""
    reason: str | None = None
    """Why it failed."""
    audience: dict[str, Any]
    """As it was given."""
    count: int
    """How many profiles it has, so far."""
    advice: Advice
    """How a send of this size is best made."""
    bytes: int
    """What its ids take in the store."""
    begun_at: datetime
    """When freezing began."""
    frozen_at: datetime | None
    """When freezing ended; null: it has not."""
    expires_at: datetime
    """When the token ends."""


class AllFrozen(Struct, kw_only=True, frozen=True):
    """The workspace's tokens, the oldest first."""

    frozen: list[Frozen]
    """Those that have not ended."""


class AudienceChanges(Struct, kw_only=True, frozen=True):
    """It may have fewer than `limit`, even none: `next_cursor` says whether there are more."""

    profiles: list[str]
    """Ids of profiles."""
    next_cursor: str | None
    """Give it back as `cursor` for the next page; null: this is the last one."""


@post("/v1/audiences/frozen", once=True)
def freeze(audience: Any, *, lifetime_s: int = 3_600) -> Request[Frozen]:
    """Keeps just those who are in an audience now; read it until its `state` isn't `freezing`."""
    ...


@get("/v1/audiences/frozen")
def read_all() -> Request[AllFrozen]:
    """Every token that has not ended."""
    ...


@get("/v1/audiences/frozen/{token}")
def read(token: str) -> Request[Frozen]:
    """How far it is, and until when it lives."""
    ...


@request.delete("/v1/audiences/frozen/{token}")
def delete(token: str) -> Request[None]:
    """Ends a token before its time."""
    ...


@get("/v1/audiences/frozen/{token}/members", items="members")
def page(
    token: str, *, fields: Sequence[str] = (), limit: int = 1_000, cursor: str | None = None
) -> Pages[AudiencePage, str]:
    """Just those who were in the audience, with values of now."""
    ...


@get("/v1/audiences/frozen/{token}/changes", items="profiles")
def changes(
    token: str, *, kind: Literal["left", "entered"] = "left", limit: int = 1_000, cursor: str | None = None
) -> Pages[AudienceChanges, str]:
    """Who has left the audience since it was frozen, or entered it, as of now."""
    ...
