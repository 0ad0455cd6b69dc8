"""What was refused, and why."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from livesegments.client.request import Pages, Request, get, post
from livesegments.core.fault import Fault


class Refusals(Struct, kw_only=True, frozen=True):
    """A page of refusals, the newest first. It may have fewer than `limit`, even none."""

    rejected: list[Refusal]
    """The refusals of this page."""
    next_cursor: str | None
    """Give it back as `cursor` for the next page; null: the last one."""
    latest: str | None
    """The id of the newest refusal of all workspaces. Give it back as `after`, later, to read only what was
    refused since; null: none ever was."""


class Refusal(Struct, kw_only=True, frozen=True):
    """One item that was refused."""

    id: str
    """Its partition and offset in topic `rejected`."""
    at: datetime
    """When the broker took the refusal; `since` and `until` compare with it."""
    received_at: datetime
    """When the item came in: its receipt."""
    workspace: str | None
    """The workspace that was named; null where none could be read. It need not exist."""
    code: str
    """The code of the first of `errors`."""
    reason: str
    """All of `errors` as one line."""
    errors: list[Fault]
    """Every fault of the item."""
    source: str
    """Where the item came from: `http`, or TOPIC/PARTITION/OFFSET of a record."""
    text: str | None
    """The beginning of the item as text, at most 3,072 bytes of it; of an event that was set aside its
    JSON; null where it is not text."""
    raw_bytes: int
    """How many bytes the item had."""
    partial: bool
    """Whether the rest of the item was accepted: then `text` has nothing but its odd parts."""
    replayable: bool
    """Whether it may be given again: its code is `internal_fault`, so the fault was ours."""


class RefusalWhole(Struct, kw_only=True, frozen=True):
    """One item that was refused, with its raw bytes."""

    id: str
    """Its partition and offset in topic `rejected`."""
    at: datetime
    """When the broker took the refusal; `since` and `until` compare with it."""
    received_at: datetime
    """When the item came in: its receipt."""
    workspace: str | None
    """The workspace that was named; null where none could be read. It need not exist."""
    code: str
    """The code of the first of `errors`."""
    reason: str
    """All of `errors` as one line."""
    errors: list[Fault]
    """Every fault of the item."""
    source: str
    """Where the item came from: `http`, or TOPIC/PARTITION/OFFSET of a record."""
    text: str | None
    """The beginning of the item as text, at most 3,072 bytes of it; of an event that was set aside its
    JSON; null where it is not text."""
    raw_bytes: int
    """How many bytes the item had."""
    partial: bool
    """Whether the rest of the item was accepted: then `text` has nothing but its odd parts."""
    replayable: bool
    """Whether it may be given again: its code is `internal_fault`, so the fault was ours."""
    raw: str
    """The item byte for byte, in base64."""
    truncated: bool
    """Whether the item was longer than what is kept, 512 KiB."""


class Replayed(Struct, kw_only=True, frozen=True):
    """Where the event was published again."""

    workspace: str
    """The workspace of the event."""
    profile: str
    """The profile of the event."""
    event: str
    """The id of the event: it makes sure that a repetition counts once."""
    partition: int
    """The partition of topic `events`."""
    offset: int
    """The offset in that partition."""


@get("/v1/rejected", items="rejected")
def page(
    *,
    code: str | None = None,
    since: str | None = None,
    until: str | None = None,
    after: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Pages[Refusals, Refusal]:
    """The newest first; `after`: only those behind the `latest` of an earlier answer."""
    ...


@get("/v1/rejected/{id}")
def read(id: str) -> Request[RefusalWhole]:
    """One with its raw bytes, in base64."""
    ...


@post("/v1/rejected/{id}/replay", once=True)
def replay(id: str) -> Request[Replayed]:
    """Publishes an event again that a fault of ours held back."""
    ...
