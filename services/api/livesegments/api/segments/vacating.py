"""The id of a deleted segment is given again only when its members have left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from livesegments.api.context import Context
from livesegments.api.web.problems import Problem

WAIT_S, LOOK_S = 5.0, 0.02


async def vacated(context: Context, workspace: str, ids: Iterable[str]) -> None:
    """Returns once nobody is in what was deleted under these ids, so that a new segment shows its own members
    from its first second; evaluators take the members out within a second of the deletion.

    An id that was never used costs nothing more. Raises Problem 409 after `WAIT_S`.
    """
    snapshot = await context.catalog.segments(workspace)
    again = sorted({id_ for id_ in ids if id_ in snapshot.retired and id_ not in snapshot.segments})
    if not again:
        return
    until = asyncio.get_running_loop().time() + WAIT_S
    while left := await context.members.remaining(workspace, again):
        if asyncio.get_running_loop().time() > until:
            shown = f"'{again[0]}'" if len(again) == 1 else f"{len(again)} ids, '{again[0]}' among them,"
            raise Problem(
                409,
                f"A segment of {shown} was deleted, and its members have not all left yet ({left} sets of "
                "members are there). Try again in a moment; if this lasts, see that the evaluators run.",
            )
        await asyncio.sleep(LOOK_S)
