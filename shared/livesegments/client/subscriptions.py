"""Who hears of transitions, and how they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from livesegments.client import request
from livesegments.client.common import Transition
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
    """`disabled`: its receiver has answered 410; an edit with `paused` false enables it again."""
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
    """`disabled`: its receiver has answered 410; an edit with `paused` false enables it again."""
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


class Attempts(Struct, kw_only=True, frozen=True):
    """The newest attempts: at most 200 of every partition are kept."""

    attempts: list[Attempt]
    """The newest first."""


class Attempt(Struct, kw_only=True, frozen=True):
    """One try to deliver a message."""

    id: str
    """The message's id, the same at every attempt."""
    at: datetime
    """When it ended."""
    ms: int
    """How long it took, in milliseconds."""
    status: int | None
    """What the receiver answered; null: nothing."""
    error: str
    """Why there was no answer; empty where there was one."""


class DeadLetters(Struct, kw_only=True, frozen=True):
    """The newest messages that were given up: at most 1,000 of every partition are kept."""

    dead_letters: list[Dead]
    """The newest first."""


class Dead(Struct, kw_only=True, frozen=True):
    """A message that was given up after all attempts of the schedule."""

    id: str
    """The message's id."""
    at: datetime
    """When it was given up."""
    attempts: int
    """How often it was tried."""
    status: int | None
    """The last answer; null: there was none."""
    error: str
    """Why the last attempt had no answer."""
    transitions: list[Transition]
    """What was in it."""


class Replay(Struct, kw_only=True, frozen=True):
    """A replay that was asked for: the one before, if it is under way, ends."""

    number: int
    """Counts the replays of the subscription."""
    records: int
    """How many transitions were announced in the range, whoever hears of them."""


class Transitions(Struct, kw_only=True, frozen=True):
    """A page of what a subscription hears."""

    transitions: list[Transition]
    """In order for every profile."""
    next_cursor: str
    """Where the next page begins: give it back, also later."""
    caught_up: bool
    """Whether this was all there is for now."""


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


@get("/v1/subscriptions/{id}/attempts")
def attempts(id: str) -> Request[Attempts]:
    """The newest 200 attempts to deliver messages."""
    ...


@get("/v1/subscriptions/{id}/dead-letters")
def dead_letters(id: str) -> Request[DeadLetters]:
    """The newest 200 messages that were given up."""
    ...


@post("/v1/subscriptions/{id}/replays")
def replay(id: str, from_: str, to: str) -> Request[Replay]:
    """Sends again what was announced between two instants (ISO 8601), under the same ids."""
    ...


@get("/v1/subscriptions/{id}/transitions")
def pull(id: str, *, limit: int = 100, cursor: str | None = None) -> Request[Transitions]:
    """What one that is pulled hears, from the cursor or from its creation on. `next_cursor` is never null:
    keep it, and ask again with it. `Client.transitions` gives the same as it happens."""
    ...
