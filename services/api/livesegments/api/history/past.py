"""A segment in the past: its members as of an instant, and what had been announced of a profile by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from livesegments.api.context import Context, Ctx
from livesegments.api.history import asof, shortened
from livesegments.api.profiles import behind
from livesegments.api.segments import versions
from livesegments.api.segments.advice import Warned
from livesegments.api.segments.editing import existing
from livesegments.api.segments.finding import found_for
from livesegments.api.segments.segments import Id
from livesegments.api.web import cursor, shapes, times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.api.web.texts import ProfileId
from livesegments.core.fault import Fault
from livesegments.core.value_list import shown
from livesegments.history.asking import Asked, Was, WasFound
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment

router = APIRouter(
    prefix="/v1/segments/{id}", tags=["members"], route_class=Route, responses=responses(401, 403)
)
At = Annotated[
    str,
    Query(
        max_length=40,
        description="The instant in ISO 8601; without an offset it is UTC. Not in the future.",
        examples=["2025-12-24T18:00:00Z"],
    ),
]


class MembersThen(BaseModel):
    """Who fulfilled one of the segment's definitions at an instant, by what was known then."""

    at: shapes.Instant = Field(description="The instant that was asked for.")
    version: int = Field(description="The version of the definition that was applied.")
    count: int = Field(description="How many fulfilled it.")
    members: list[str] = Field(description="A page of their ids, in order.")
    next_cursor: str | None = Field(description="For the next page; null where this was the last.")
    warnings: list[Warned] = Field(
        description="Windows that reach back beyond the history that is kept are counted short "
        "(`history_short`)."
    )


class WasMember(BaseModel):
    """Whether a profile was a member at an instant, by the transitions that were announced."""

    model_config = ConfigDict(populate_by_name=True)

    profile: str = Field(description="The profile's id.")
    at: shapes.Instant = Field(description="The instant that was asked for.")
    was_in: bool = Field(alias="in", description="Whether it was a member then.")
    since: shapes.Instant | None = Field(
        description="When that began: its newest transition up to then; null where there was none."
    )
    version: int | None = Field(description="The version of the definition under which that was decided.")
    cause: str | None = Field(description="What led to the transition: `event`, `clock` and so on.")
    event_id: str | None = Field(description="The id of the event that led to it, if one did.")
    why_version: int = Field(
        description="The version of the definition that `why` applies: that of the instant; the present one "
        "where that isn't kept, or names what isn't there any more. `version` is an earlier one where "
        "nothing changed for the profile since."
    )
    definition: Annotated[Any, WithJsonSchema({"anyOf": [shapes.CONDITION, {"type": "null"}]})] = Field(
        description="The definition that `why` applies; null of a static segment."
    )
    why: list[behind.NodeThen] = Field(
        description="Every node as of the instant, by what had arrived by then, parents before their "
        "children; empty where nothing was known of the profile."
    )


@router.get("/as-of", responses=responses(400, 404, 409, 422, 503))
async def list_members_then(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    at: At,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    after: cursor.Cursor = None,
    definition: Annotated[
        Literal["present", "served"],
        Query(
            description="Which definition is applied: the present one, or the one that all partitions "
            "served at the instant. A former one is served until the next has its history."
        ),
    ] = "present",
    version: Annotated[
        int | None, Query(ge=1, description="The definition with this number, whatever `definition` says.")
    ] = None,
) -> MembersThen:
    """A page of those who fulfilled a definition of the segment at an instant: worked out from history, by
    what had arrived by then. With the present definition, which is applied unless another one is asked for,
    it may be about a time at which the segment wasn't there yet. Other segments that the definition names are
    taken as they are now, or, with another than the present one, as they were served at that instant."""
    snapshot = await context.catalog.segments(workspace.id)
    segment, named = existing(snapshot, id_), snapshot.segments
    now_ms = _past(context, at)
    if version is not None or definition == "served":
        if version is not None:
            segment = await versions.numbered(context, segment, version)
        else:
            segment = await versions.at(context, segment, now_ms)
        named = dict(await versions.around(context, segment, snapshot, now_ms))
    others = asof.needed(segment.definition, named, id_)
    found = await asof.ask(
        context,
        Asked(
            workspace=workspace.id,
            timezone=workspace.timezone,
            now_ms=now_ms,
            definition=segment.definition,
            segments=others,
            segment=id_,
            after=None if after is None else cursor.decode(after, str),
            limit=limit,
        ),
    )
    return MembersThen(
        at=times.iso(found.at_ms),
        version=segment.definition_version,
        count=found.nodes[0][1],
        members=found.members,
        next_cursor=cursor.encode(found.members[-1]) if found.more else None,
        warnings=await shortened.warnings(context, workspace, segment.definition, others, found.at_ms),
    )


@router.get("/was", responses=responses(400, 404, 422, 503))
async def read_was_member(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    profile: Annotated[ProfileId, Query(description="The id of a profile.", examples=["ada"])],
    at: At,
    events: behind.Events = 0,
) -> WasMember:
    """Whether a profile was in the segment at an instant, as it was announced then: under the version of the
    definition that was served at that time. A profile that is not known was in none. `why` says what the
    definition of that time saw of the profile, node by node, with the events that it counted."""
    present = await found_for(context, workspace.id, id_, profile)
    snapshot = await context.catalog.segments(workspace.id)
    now_ms = _past(context, at)
    known, others = await _then(context, present, snapshot, now_ms, profile)

    def asked(segment: Segment, named: Mapping[str, Segment]) -> Was:
        return Was(
            workspace=workspace.id,
            timezone=workspace.timezone,
            profile=profile,
            segment=id_,
            now_ms=now_ms,
            definition=segment.definition,
            segments=asof.needed(segment.definition, named, id_),
            events=events,
        )

    found = await asof.was(context, asked(known, others))
    last = found.last
    was_in = last is not None and last.kind == "entered"
    if _denies(found, was_in) and (last is None or last.version < known.definition_version):
        # its partition had switched, but not yet come to this profile
        former = await versions.before(context, present, now_ms, profile)
        again = None if former is None else await asof.was(context, asked(former, others))
        if former is not None and again is not None and not _denies(again, was_in):
            known, found = former, again
    return WasMember(
        profile=profile,
        at=times.iso(found.at_ms),
        was_in=was_in,
        since=None if last is None else times.iso(last.at_ms),
        version=None if last is None else last.version,
        cause=None if last is None else last.cause,
        event_id=None if last is None else last.event_id,
        why_version=known.definition_version,
        definition=shown(known.definition),
        why=behind.nodes(found.nodes),
    )


def _denies(found: WasFound, was_in: bool) -> bool:
    """Whether a definition says something else than was announced."""
    return bool(found.nodes) and found.nodes[0].holds != was_in


async def _then(
    context: Context, present: Segment, snapshot: Snapshot, at_ms: int, profile: str
) -> tuple[Segment, Mapping[str, Segment]]:
    """The segment and those that it names as the profile's partition served them at an instant; as they are
    now where that can't be had any more."""
    then = await versions.at(context, present, at_ms, profile)
    try:
        return then, await versions.around(context, then, snapshot, at_ms, profile)
    except Problem:
        return present, snapshot.segments


def _past(context: Context, at: str) -> int:
    """Raises Problem 422 for what is no instant, or lies in the future of a clock that is the wall's."""
    try:
        instant = times.parse(at)
    except ValueError as error:
        raise _wrong("bad_date", f"'{at}' is not an ISO 8601 instant such as 2026-01-31T09:30:00Z") from error
    now_ms = asof.now(context)
    if now_ms is not None and instant > now_ms:
        raise _wrong("out_of_range", f"'{at}' is in the future")
    return instant


def _wrong(code: str, message: str) -> Problem:
    fault = Fault(pointer="query: at", code=code, message=message)
    return Problem(422, "1 fault(s) in the request.", [fault])
