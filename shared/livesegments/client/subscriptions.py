"""Who hears of transitions, and how they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from livesegments.client import request
from livesegments.client.request import Request, get, patch, post

Kind = Literal["entered", "exited"]


class MadeSubscription(Struct, kw_only=True, frozen=True):
    """A new subscription with its secret."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    segments: list[str]
    """The segments that it hears of; none: all."""
    kinds: list[str]
    """What it hears."""
    causes: list[str]
    """Why they entered or exited; none: every cause but `backfill`."""
    backfill: bool
    """Whether it also hears what comes of a definition's history."""
    minimum_dwell_s: int
    """The shortest stay that is heard."""
    cool_down_s: int
    """The shortest time between two entries that are heard."""
    batch: Batch
    """How many transitions go together."""
    webhook: Webhook | None
    """Where they go; null: the receiver pulls them."""
    paused: bool
    """Whether nothing is sent for now."""
    state: str
    """`active`, `paused`, or `disabled`: its receiver has answered 410."""
    version: int
    """Counts every edit; the ETag."""
    created_at: datetime
    """It hears what is announced from then on."""
    updated_at: datetime
    """When it was last edited."""
    secret: str | None
    """`whsec_…`, with which the signature is checked. It is shown this once. Null where the receiver
    pulls."""


class Batch(Struct, kw_only=True, frozen=True):
    """A message has at most `max` transitions, and goes at latest `within_s` after its first."""

    max: int
    """How many transitions a message has at most."""
    within_s: int
    """So long the first of them waits at most."""


class Webhook(Struct, kw_only=True, frozen=True):
    """A webhook without its secrets."""

    url: str
    """Where messages are posted."""
    template: str
    """The form of the body."""
    mapping: dict[str, Any] | None
    """Of the form `json`: the document."""
    secrets: int
    """How many secrets sign: two while they rotate."""


class Subscriptions(Struct, kw_only=True, frozen=True):
    """All subscriptions of the workspace."""

    subscriptions: list[Subscription]
    """The oldest first."""


class Subscription(Struct, kw_only=True, frozen=True):
    """A subscription."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    segments: list[str]
    """The segments that it hears of; none: all."""
    kinds: list[str]
    """What it hears."""
    causes: list[str]
    """Why they entered or exited; none: every cause but `backfill`."""
    backfill: bool
    """Whether it also hears what comes of a definition's history."""
    minimum_dwell_s: int
    """The shortest stay that is heard."""
    cool_down_s: int
    """The shortest time between two entries that are heard."""
    batch: Batch
    """How many transitions go together."""
    webhook: Webhook | None
    """Where they go; null: the receiver pulls them."""
    paused: bool
    """Whether nothing is sent for now."""
    state: str
    """`active`, `paused`, or `disabled`: its receiver has answered 410."""
    version: int
    """Counts every edit; the ETag."""
    created_at: datetime
    """It hears what is announced from then on."""
    updated_at: datetime
    """When it was last edited."""


class Secret(Struct, kw_only=True, frozen=True):
    """A new secret."""

    secret: str
    """`whsec_…`, with which the signature is checked. It is shown this once."""
    former_valid_until: datetime
    """Until then the secret before signs as well."""


@get("/v1/subscriptions")
def read_all() -> Request[Subscriptions]:
    """All of the workspace, the oldest first."""
    ...


@get("/v1/subscriptions/{id}")
def read(id: str) -> Request[Subscription]:
    """One without its secrets."""
    ...


@post("/v1/subscriptions")
def create(
    name: str,
    *,
    segments: Sequence[str] = (),
    kinds: Sequence[Kind] = ("entered", "exited"),
    causes: Sequence[str] = (),
    backfill: bool = False,
    minimum_dwell_s: int = 0,
    cool_down_s: int = 0,
    batch: dict[str, int] | UnsetType = UNSET,
    webhook: dict[str, Any] | None = None,
    paused: bool = False,
) -> Request[MadeSubscription]:
    """The secret is answered this once. It is never sent again by itself: a second one would be made."""
    ...


@patch("/v1/subscriptions/{id}")
def edit(
    id: str,
    *,
    if_match: str | int,
    name: str | UnsetType = UNSET,
    segments: Sequence[str] | UnsetType = UNSET,
    kinds: Sequence[Kind] | UnsetType = UNSET,
    causes: Sequence[str] | UnsetType = UNSET,
    backfill: bool | UnsetType = UNSET,
    minimum_dwell_s: int | UnsetType = UNSET,
    cool_down_s: int | UnsetType = UNSET,
    batch: dict[str, int] | UnsetType = UNSET,
    webhook: dict[str, Any] | UnsetType | None = UNSET,
    paused: bool | UnsetType = UNSET,
) -> Request[Subscription]:
    """Changes what is given. `if_match`: the `version` that was read."""
    ...


@request.delete("/v1/subscriptions/{id}")
def delete(id: str, *, if_match: str | int | None = None) -> Request[None]:
    """Nothing more is sent to it."""
    ...


@post("/v1/subscriptions/{id}/secrets")
def rotate_secret(id: str) -> Request[Secret]:
    """A new secret; for a while the one before signs as well."""
    ...
