"""Values of a page's members: attributes, and computed attributes by the definitions that are served.

`fields=city&fields=computed:spent` gives
`{"profile": "ann", "fields": {"city": "Kyiv", "computed:spent": 312.5}}` of ann.
A name that the profile has no value for is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query
from msgspec import Struct

from livesegments.api.context import Context
from livesegments.api.history import asof
from livesegments.api.members.served import instant
from livesegments.api.web.problems import Problem, quoted
from livesegments.api.web.texts import AttributeName
from livesegments.core.computed import PREFIX, id_of
from livesegments.core.computed_read import computed_of
from livesegments.core.fault import Fault
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.wire.catalog import Workspace

MOST = 20
MOST_MEMBERS = 1_000
"""A page's length when fields are asked for: their states are read whole."""

Names = Annotated[
    list[AttributeName],
    Query(
        alias="fields",
        default_factory=list,
        max_length=MOST,
        description="The name of an attribute, or `computed:` and the id of a computed attribute: `fields` "
        f"of the answer has its value for every member. Repeat the parameter for up to {MOST} names; then at "
        f"most {MOST_MEMBERS:,} members a page.",
        examples=[["city", "plan"]],
    ),
]


class Fields(Struct):
    profile: str
    fields: Mapping[str, Any]


async def check(
    context: Context, workspace: Workspace, names: Iterable[str], where: str = "query: fields"
) -> None:
    """Raises Problem 422 for computed attributes that the workspace has not."""
    computed = [name for name in dict.fromkeys(names) if name.startswith(PREFIX)]
    if not computed:
        return
    known = (await context.catalog.segments(workspace.id)).computed
    faults = [
        Fault(where, "unknown_computed_attribute", f"there is no computed attribute {quoted(name)}")
        for name in computed
        if id_of(name) not in known
    ]
    if faults:
        raise Problem(422, f"{len(faults)} fault(s) in the request.", faults)


async def fields_of(
    context: Context,
    workspace: Workspace,
    names: Sequence[str],
    members: Sequence[str],
    where: str = "query: fields",
) -> tuple[list[Fields], list[Fault]]:
    """One for every member, in the same order, and a warning for every computed attribute that is still given
    its history in a partition of these members.

    Without computed attributes all states come in one round trip; with them in one for every partition, with
    its clock and the definitions that it served at that instant.
    """
    names = list(dict.fromkeys(names))
    computed = [name for name in names if name.startswith(PREFIX)]
    found: dict[str, Mapping[str, Any]] = {}
    building = set[str]()
    if computed:
        for partition, share in _shares(context, workspace, members).items():
            plan, clock_ms, states = await context.served.several(partition, workspace.id, share)
            building.update(name for name in computed if name not in plan.positions)
            found |= await asyncio.to_thread(_values, names, dict(states), plan, clock_ms, asof.now(context))
    elif names:
        held = await context.audiences.states(workspace.id, members, names)
        found = {id_: each.values for id_, each in held.items()}
    return [Fields(member, found.get(member, {})) for member in members], [
        Fault(where, "building", f"{name} is still given its history: its values are left out")
        for name in names
        if name in building
    ]


def _shares(context: Context, workspace: Workspace, members: Iterable[str]) -> dict[int, list[str]]:
    shares: dict[int, list[str]] = {}
    for member in members:
        shares.setdefault(context.profiles.partition(workspace.id, member), []).append(member)
    return shares


def _values(
    names: Sequence[str], states: Mapping[str, Profile], plan: Plan, clock_ms: int, wall_ms: int | None
) -> dict[str, dict[str, Any]]:
    """By profile; `plan`: that which the profiles were brought to."""
    found = {}
    for id_, state in states.items():
        values = {
            name: register.value
            for name in names
            if not name.startswith(PREFIX) and (register := state.attributes.get(name)) is not None
        }
        computed = computed_of(plan, state, instant(clock_ms, state, wall_ms), names)
        values |= {PREFIX + each: made.value for each, made in computed.items()}
        found[id_] = {name: values[name] for name in names if values.get(name) is not None}
    return found
