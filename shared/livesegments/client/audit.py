"""Who changed what in a workspace, and when."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from livesegments.client.request import Pages, get


class AuditForm(Struct, kw_only=True, frozen=True):
    """What something was before, or is after."""

    version: int
    """Its version: the ETag, where it has one."""
    digest: str
    """The beginning of the SHA-256 of what is stored of it."""


class AuditEntry(Struct, kw_only=True, frozen=True):
    """One action."""

    id: str
    """Entries sort by it as they were made."""
    at: datetime
    """When it was done."""
    action: str
    """`create`, `edit`, `delete`, `archive`, `restore`, `rollback`, `cancel_build`, `revoke`,
    `rotate_secret`, `replay`, `start`, `cancel`, `lift`, `add_members`, `remove_members`,
    `replace_members`."""
    kind: str
    """Of what kind the target is: `segment`, `computed_attribute`, `value_list`, `field`, `subscription`,
    `key`, `workspace`, or an action of its own, as `export`, `list_job`, `erasure`."""
    target: str
    """The id of what it was done to."""
    name: str | None
    """The name of it; null where it has none."""
    by: str | None
    """The name of the key that asked for it; `admin` of the admin key; null: no request did."""
    key: str | None
    """The id of that key; null of the admin key."""
    request: str | None
    """The `X-Request-Id` of the request."""
    before: AuditForm | None
    """What it was; null: it was not there, or has no form."""
    after: AuditForm | None
    """What it is; null: it is not there any more, or has no form."""
    note: str | None
    """What else matters."""
    profiles: list[str]
    """Of members that were put on a list or taken off it: the first ten ids; who is erased is in none."""


class AuditPage(Struct, kw_only=True, frozen=True):
    """A page of the log, the newest first."""

    entries: list[AuditEntry]
    """Those that fit."""
    next_cursor: str | None = None
    """Give it back as `cursor` for the next page; null: this is the last one."""


@get("/v1/audit", items="entries")
def page(
    *,
    action: str | None = None,
    kind: str | None = None,
    target: str | None = None,
    by: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Pages[AuditPage, AuditEntry]:
    """A page of the audit log, the newest first."""
    ...
