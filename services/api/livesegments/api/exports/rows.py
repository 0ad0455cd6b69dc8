"""The rows of an export: a segment's members with what was chosen of each, page by page.

Partition by partition, as the pages of members go: whoever is in throughout is given exactly once. All that
a row says is of one state of the profile, by the definitions that its partition serves at that instant.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from msgspec import Struct

from livesegments.api.context import Context
from livesegments.api.history import asof
from livesegments.api.members.served import instant
from livesegments.api.web import answers, times
from livesegments.core.computed import PREFIX
from livesegments.core.computed_read import computed_of
from livesegments.core.explain import next_flips
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.history.exported import Row
from livesegments.store.exports import Export
from livesegments.store.members import Place
from livesegments.store.standing import anew

PAGE = 500
"""Members at once: so long a thread of the service works on them."""
TOLD = ("entered_at", "valid_until", "updated_at", "tags", "consent", "groups")


class Page(Struct, frozen=True):
    """`seen`: members that were looked at; `building`: computed attributes that some of them lack as yet."""

    seen: int
    rows: list[Row]
    building: frozenset[str]


async def pages(context: Context, export: Export) -> AsyncIterator[Page]:
    """Raises Away, Restoring, or Problem 503 where it can't be read on; then it must begin anew."""
    lives, place = await context.heads.lives(), Place(0)
    more: Place | None = place
    while more is not None:
        members, more = await context.members.page(export.workspace, export.segment, more, PAGE)
        shares: dict[int, list[str]] = {}
        for member in members:
            partition = context.profiles.partition(export.workspace, member)
            shares.setdefault(partition, []).append(member)
        rows: list[Row] = []
        building = set[str]()
        for partition, share in shares.items():
            plan, clock_ms, states = await context.served.several(partition, export.workspace, share)
            building.update(
                name for name in export.fields if name.startswith(PREFIX) and name not in plan.positions
            )
            rows += await asyncio.to_thread(
                _rows, export, plan, clock_ms, asof.now(context), dict(states), share
            )
        if await context.heads.lives() != lives:
            raise anew()  # some may be of before, and others of afterwards
        yield Page(len(members), rows, frozenset(building))


def _rows(
    export: Export,
    plan: Plan,
    clock_ms: int,
    wall_ms: int | None,
    states: Mapping[str, Profile],
    members: list[str],
) -> list[Row]:
    """Of those that are in it still: whoever left since the page was read has no row."""
    found = []
    for id_ in members:
        state = states.get(id_)
        membership = None if state is None else state.memberships.get(export.segment)
        if state is None or membership is None or membership.entered_ms is None:
            continue
        entered_ms, updated_ms = membership.entered_ms, updated(state)
        if entered_ms < (export.entered_since_ms or entered_ms):
            continue
        if max(entered_ms, updated_ms) < (export.updated_since_ms or entered_ms):
            continue
        more: dict[str, Any] = {}
        for name in export.include:
            match name:
                case "entered_at":
                    more[name] = times.iso(entered_ms)
                case "updated_at":
                    more[name] = times.iso(max(entered_ms, updated_ms))
                case "tags":
                    more[name] = sorted(tag for tag, register in state.tags.items() if register.value)
                case "consent":
                    more[name] = answers.consent_of(state)
                case "groups":
                    more[name] = state.groups
        fields = {
            name: register.value
            for name in export.fields
            if not name.startswith(PREFIX)
            and (register := state.attributes.get(name)) is not None
            and register.value is not None
        }
        computed = computed_of(plan, state, instant(clock_ms, state, wall_ms), export.fields)
        fields |= {PREFIX + name: made.value for name, made in computed.items() if made.value is not None}
        if "valid_until" in export.include:
            until = next_flips(plan, id_, state, (export.segment,)).get(export.segment)
            if until is not None:
                more["valid_until"] = times.iso(until)
        found.append(Row(id_, fields, more))
    return found


def updated(state: Profile) -> int:
    """When the latest change of its attributes, tags, consents and lists was made, by the change's own time
    (ms); the beginning of time where nothing was."""
    registers = (*state.attributes.values(), *state.tags.values(), *state.consent.values())
    latest = max((each.time_ms for each in (*registers, *state.lists.values())), default=times.MIN_MS)
    return max((latest, *(at_ms for at_ms, _ in state.removed.values())))
