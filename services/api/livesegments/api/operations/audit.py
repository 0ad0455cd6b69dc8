"""`/v1/audit`: who changed what in a workspace, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.operations.forgetting import forgotten
from livesegments.api.web import cursor, times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import responses
from livesegments.api.web.publisher import NotPublished
from livesegments.api.web.route import Route
from livesegments.api.web.shapes import Instant, Since
from livesegments.store.changes import NotRestored
from livesegments.wire.audited import Audited, Form
from livesegments.wire.catalog import Segment

FIRST = 10
"""So many of the members that a request is about are named."""
AT_ONCE = 500
"""Entries that are read at a time, until a page is full."""
LOOK_S = 600.0
"""The log is cut to its bounds at this interval."""
DAY_MS = 86_400_000
MembersAction: TypeAlias = Literal["add_members", "remove_members", "replace_members"]

_log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=Route, responses=responses(401, 403))


class AuditForm(BaseModel):
    """What something was before, or is after."""

    version: int = Field(description="Its version: the ETag, where it has one.")
    digest: str = Field(description="The beginning of the SHA-256 of what is stored of it.")


class AuditEntry(BaseModel):
    """One action."""

    id: str = Field(description="Entries sort by it as they were made.")
    at: Instant = Field(description="When it was done.")
    action: str = Field(
        description="`create`, `edit`, `delete`, `archive`, `restore`, `rollback`, `cancel_build`, `revoke`, "
        "`rotate_secret`, `replay`, `start`, `cancel`, `lift`, `add_members`, `remove_members`, "
        "`replace_members`.",
        examples=["edit"],
    )
    kind: str = Field(
        description="Of what kind the target is: `segment`, `computed_attribute`, `value_list`, `field`, "
        "`subscription`, `key`, `workspace`, or an action of its own, as `export`, `list_job`, `erasure`.",
        examples=["segment"],
    )
    target: str = Field(description="The id of what it was done to.", examples=["vip"])
    name: str | None = Field(description="The name of it; null where it has none.")
    by: str | None = Field(
        description="The name of the key that asked for it; `admin` of the admin key; null: no request did."
    )
    key: str | None = Field(description="The id of that key; null of the admin key.")
    request: str | None = Field(description="The `X-Request-Id` of the request.")
    before: AuditForm | None = Field(description="What it was; null: it was not there, or has no form.")
    after: AuditForm | None = Field(description="What it is; null: it is not there any more, or has no form.")
    note: str | None = Field(description="What else matters.")
    profiles: list[str] = Field(
        description="Of members that were put on a list or taken off it: the first ten ids; who is erased is "
        "in none."
    )


class AuditPage(BaseModel):
    """A page of the log, the newest first."""

    entries: list[AuditEntry] = Field(description="Those that fit.")
    next_cursor: str | None = Field(
        None, description="Give it back as `cursor` for the next page; null: this is the last one."
    )


@router.get("")
async def list_audit(
    context: Ctx,
    workspace: Reading,
    action: Annotated[str | None, Query(max_length=64, description="Only this action.")] = None,
    kind: Annotated[str | None, Query(max_length=64, description="Only targets of this kind.")] = None,
    target: Annotated[str | None, Query(max_length=256, description="Only what was done to this id.")] = None,
    by: Annotated[str | None, Query(max_length=200, description="Only by keys of this name or id.")] = None,
    since: Annotated[Since | None, Query(description="Only from this instant on.")] = None,
    until: Annotated[Since | None, Query(description="Only before this instant.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: cursor.Cursor = None,
) -> AuditPage:
    """What was changed in the workspace, by whom, from what to what: definitions, keys, settings, jobs,
    exports, erasures. The newest 10,000 entries of the last 400 days are kept, unless the settings say
    otherwise."""
    log = context.catalog.audit
    last = "" if after is None else cursor.decode(after, str)
    ids = [each for each in await log.ids(workspace.id) if not last or each < last]
    since_ms = None if since is None else times.parse(since)
    until_ms = None if until is None else times.parse(until)
    found: list[Audited] = []
    erased = context.suppressions
    await erased.refresh()

    def shown(entry: Audited) -> list[str]:
        return [id_ for id_ in entry.profiles if not erased.has(workspace.id, id_)]

    for at in range(0, len(ids), AT_ONCE):
        for each in await log.read(workspace.id, ids[at : at + AT_ONCE]):
            if (
                (since_ms is None or each.at_ms >= since_ms)
                and (until_ms is None or each.at_ms < until_ms)
                and action in (None, each.action)
                and kind in (None, each.kind)
                and target in (None, each.target)
                and by in (None, each.by, each.key)
            ):
                found.append(each)
        if len(found) > limit:
            break
    return AuditPage(
        entries=[_shape(each, shown(each)) for each in found[:limit]],
        next_cursor=cursor.encode(found[limit - 1].id) if len(found) > limit else None,
    )


async def noted(
    context: Context, workspace: str, action: str, kind: str, target: str, *, name: str = "", note: str = ""
) -> None:
    """Notes what is no change of the catalogue; durable in Redis and in the topic when it returns.

    Raises NotRestored, NotPublished or Away: then the action must not begin."""
    log = context.catalog.audit
    await context.publisher.published(await log.note(workspace, action, kind, target, name=name, note=note))


async def noted_members(
    context: Context, segment: Segment, action: MembersAction, profiles: Sequence[str], note: str = ""
) -> None:
    """As `noted`, of members of a list: how many (or what `note` says), and the first ones."""
    await context.publisher.published(await note_members(context, segment, action, profiles, note))


async def note_members(
    context: Context, segment: Segment, action: MembersAction, profiles: Sequence[str], note: str = ""
) -> int:
    """The entry is in the store when this returns, and so it goes into the topic, too; `publisher.published`
    of the number that is given waits until it is there. Raises NotRestored or Away."""
    log, first = context.catalog.audit, list(dict.fromkeys(profiles))
    note = note or f"{len(first):,} profile{'' if len(first) == 1 else 's'}"
    return await log.note(
        segment.workspace, action, "segment", segment.id, name=segment.name, note=note, profiles=first[:FIRST]
    )


async def forget_erased(context: Context, workspace: str) -> None:
    """Whoever is kept out is named by no entry any more: also the other ids of a person who was merged, which
    an erasure finds one after the other.

    Raises NotRestored, NotPublished or Away."""
    erased = context.suppressions
    await erased.refresh()
    if erased.nobody:
        return
    named = await context.catalog.audit.named(workspace)
    gone = {id_ for id_ in named if erased.has(workspace, id_)}
    if gone:
        await forgotten(context.catalog, context.publisher, workspace, gone)


async def keep_bounded(context: Context) -> None:
    """Never returns: deletes what is too old, or over the bound, and names of whom was erased meanwhile."""
    settings = context.settings
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            since_ms = context.now_ms() - settings.audit_days * DAY_MS
            for workspace in await context.catalog.workspaces():
                if await context.catalog.audit.trim(workspace.id, settings.audit_kept, since_ms):
                    await context.publisher.published(await context.catalog.sequence())
                await forget_erased(context, workspace.id)
        except (NotPublished, NotRestored, OSError, TimeoutError) as error:
            _log.warning("the audit log can't be cut now", error=repr(error))


def _shape(entry: Audited, profiles: list[str]) -> AuditEntry:
    return AuditEntry(
        id=entry.id,
        at=times.iso(entry.at_ms),
        action=entry.action,
        kind=entry.kind,
        target=entry.target,
        name=entry.name or None,
        by=entry.by or None,
        key=entry.key or None,
        request=entry.request or None,
        before=_form(entry.before),
        after=_form(entry.after),
        note=entry.note or None,
        profiles=profiles,
    )


def _form(form: Form | None) -> AuditForm | None:
    return None if form is None else AuditForm(version=form.version, digest=form.digest)
