"""The answers to the busiest reads, as they are written: `shapes` says the same to OpenAPI.

msgspec writes them in a tenth of the time that pydantic takes to check and write a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import Response
from msgspec import UNSET, Struct, UnsetType, field

from livesegments.api.context import Context
from livesegments.api.members.validity import entered, next_changes
from livesegments.api.profiles.values import MOST_MEMBERS, Fields, check, fields_of
from livesegments.api.segments.finding import found, found_for
from livesegments.api.web import cursor, times
from livesegments.api.web.problems import not_found
from livesegments.core.computed_read import computed_of
from livesegments.core.fault import Fault
from livesegments.core.profile import Profile
from livesegments.store.members import Place
from livesegments.store.standing import anew
from livesegments.wire.catalog import Workspace

MAX_WITH_TIMES = 200
"""A page's length when times are asked for: each is worked out."""


class Count(Struct):
    count: int


class Membership(Struct):
    profile: str
    is_in: bool = field(name="in")
    entered_at: str | None
    valid_until: str | None


class Times(Struct):
    profile: str
    entered_at: str | None
    valid_until: str | None


class Members(Struct):
    members: list[str]
    times: list[Times]
    next_cursor: str | None
    fields: list[Fields] | UnsetType = UNSET
    warnings: list[Fault] | UnsetType = UNSET


class Consent(Struct):
    state: str
    channel: str | None
    topic: str | None


class ProfileSegment(Struct):
    id: str
    name: str
    entered_at: str
    valid_until: str | None


class Computed(Struct):
    """A computed attribute of a profile."""

    value: Any
    changes_at: str | None


class Known(Struct):
    """Of a profile."""

    profile: str
    attributes: dict[str, Any]
    tags: list[str]
    consent: list[Consent]
    groups: list[str]
    score: Any
    segments: list[ProfileSegment]
    computed: dict[str, Computed] = {}
    merged_into: str | None = None


encode = msgspec.json.Encoder().encode


def written(answer: Struct) -> Response:
    return Response(encode(answer), media_type="application/json")


async def count(context: Context, workspace: Workspace, id_: str) -> Count:
    await found(context, workspace.id, id_)
    return Count(await context.members.count(workspace.id, id_))


async def page(
    context: Context,
    workspace: Workspace,
    id_: str,
    limit: int,
    after: str | None,
    with_times: bool,
    names: Sequence[str] = (),
) -> Members:
    """`names`: of attributes and computed attributes; see `fields`."""
    await found(context, workspace.id, id_)
    size = min(limit, MAX_WITH_TIMES) if with_times else limit
    place = None if after is None else cursor.decode(after, Place)
    if names:
        await check(context, workspace, names)
        size = min(size, MOST_MEMBERS)
        lives = await context.heads.lives()
    members, more = await context.members.page(workspace.id, id_, place, size)
    answer = Members(members, [], None if more is None else cursor.encode(more))
    if names:
        answer.fields, answer.warnings = await fields_of(context, workspace, names, members)
        if await context.heads.lives() != lives:
            raise anew()  # the members may be of before, and the fields of afterwards
    if with_times:
        answer.times = await _times(context, workspace, id_, members)
    return answer


async def membership(context: Context, workspace: Workspace, id_: str, profile: str) -> Membership:
    await found_for(context, workspace.id, id_, profile)
    states = await context.profiles.get(workspace.id, [profile])
    changes = await next_changes(context, workspace, states, [id_])
    since = entered(states[profile]).get(id_) if profile in states else None
    until = changes.get(profile, {}).get(id_)
    return Membership(profile, since is not None, times.iso_or_none(since), times.iso_or_none(until))


async def known(context: Context, workspace: Workspace, profile: str) -> Known:
    state = (await context.profiles.get(workspace.id, [profile])).get(profile)
    if state is None:
        raise not_found("profile", profile)
    if state.kin is not None and state.kin.into is not None:
        return Known(profile, {}, [], [], [], None, [], merged_into=state.kin.into)
    snapshot = await context.catalog.segments(workspace.id)
    changes = (await next_changes(context, workspace, {profile: state}, None))[profile]
    attributes = {
        name: register.value for name, register in state.attributes.items() if register.value is not None
    }
    return Known(
        profile,
        attributes,
        sorted(tag for tag, register in state.tags.items() if register.value),
        consent_of(state),
        state.groups,
        attributes.get("score"),
        [
            ProfileSegment(
                id_, snapshot.segments[id_].name, times.iso(since), times.iso_or_none(changes.get(id_))
            )
            for id_, since in sorted(entered(state).items())
            if id_ in snapshot.segments
        ],
        await _computed(context, workspace, profile) if snapshot.computed else {},
    )


async def _computed(context: Context, workspace: Workspace, profile: str) -> dict[str, Computed]:
    """By the definitions that its partition serves, from the state that segments are judged by."""
    wall_ms = context.now_ms() if context.settings.clock == "wall" else None
    deciding = await context.served.deciding(workspace.id, profile, wall_ms)
    found = computed_of(deciding.plan, deciding.profile, deciding.now_ms)
    return {id_: Computed(each.value, times.iso_or_none(each.moves_ms)) for id_, each in found.items()}


def consent_of(state: Profile) -> list[Consent]:
    made = []
    for pair, register in sorted(state.consent.items()):
        channel, _, topic = pair.partition("\0")
        made.append(Consent(register.value, channel or None, topic or None))
    return made


async def _times(context: Context, workspace: Workspace, segment: str, members: list[str]) -> list[Times]:
    states = await context.profiles.get(workspace.id, members)
    changes = await next_changes(context, workspace, states, [segment])
    return [
        Times(
            name,
            times.iso_or_none(entered(states[name]).get(segment)) if name in states else None,
            times.iso_or_none(changes.get(name, {}).get(segment)),
        )
        for name in members
    ]
