"""Who is on a list: profiles are put on it and taken off it by their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from livesegments.client import members
from livesegments.client.segments import Segment
from livesegments.console import formats
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import text_field
from livesegments.console.parts.tag import paragraph
from livesegments.console.visit import Visit

Again = Callable[[], Awaitable[None]]
MOST = 1_000
LOOKS, LOOK_S = 50, 0.1
"""So often it is looked whether what was acknowledged is applied; then the page shows what there is."""


def put_on(visit: Visit, segment: Segment, again: Again) -> None:
    dialog = Dialog(visit, f"Put profiles on {formats.short(segment.name, 60)}")
    with dialog.body:
        hint = f"One a line, at most {MOST:,}. An id that was never heard of becomes a profile."
        typed = text_field("Ids of profiles", hint=hint, lines=8, longest=300_000)

    async def put() -> None:
        profiles = ids(typed.value)
        await visit.api.send(members.add(segment.id, profiles))
        await _applied(visit, segment.id, profiles, True)
        visit.say(f"{formats.count(len(profiles), 'profile')} put on the list.")
        await again()

    dialog.offer("Put them on it", put).open()


def take_off(visit: Visit, segment: Segment, profile: str, again: Again) -> None:
    dialog = Dialog(visit, f"Take {formats.short(profile, 60)} off {formats.short(segment.name, 60)}?")
    with dialog.body:
        paragraph("The profile itself is untouched.")

    async def take() -> None:
        await visit.api.send(members.remove(segment.id, [profile]))
        await _applied(visit, segment.id, [profile], False)
        await again()

    dialog.offer("Take it off", take, "danger").open()


def ids(text: str) -> list[str]:
    """One a line, each once. Raises Refuse."""
    found = list(dict.fromkeys(filter(None, (line.strip() for line in text.splitlines()))))
    if not found:
        raise Refuse("Give at least one id.")
    if len(found) > MOST:
        raise Refuse(f"These are {len(found):,}: at most {MOST:,} at a time. An import takes more.")
    return found


async def _applied(visit: Visit, segment: str, profiles: Sequence[str], wanted: bool) -> None:
    for _ in range(LOOKS):
        found = await visit.api.send(members.check(segment, profiles))
        if all(each.is_in == wanted for each in found.memberships):
            return
        await asyncio.sleep(LOOK_S)
