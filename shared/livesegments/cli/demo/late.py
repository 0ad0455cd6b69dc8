"""A segment that comes after the replay: created, then edited to a longer window, and proven both times.

Example: nobody asked about orders on 2 days of 30 while the purchases came in. Created now, the segment has
all its members within a second or so, for its history is read from the archive; edited to 60 days it gains
members and loses none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec import Struct

from livesegments.cli.demo.heard import Heard
from livesegments.cli.demo.log import Log
from livesegments.cli.demo.proof import Analyst, Comparison, compare
from livesegments.cli.demo.workspace import Workspace

LIVE_S = 20.0
"""A segment that takes longer to be ready is a failure, also on a busy machine."""
CAUSE = "backfill"


class Late(Struct, frozen=True):
    """One change of the late segment, and its result.

    `took_s`: seconds from the request until the segment was ready. `entered` and `exited`: transitions
    announced because of this change. `causes`: those of all its transitions so far.
    """

    change: str
    took_s: float
    entered: int
    exited: int
    causes: tuple[str, ...]
    comparison: Comparison

    @property
    def faults(self) -> list[str]:
        """The faults, in words; empty where all is right."""
        found = []
        if not self.comparison.equal:
            found.append("its members are not as recomputed")
        if not self.entered:
            found.append("nobody entered")
        if self.exited:
            found.append(f"{self.exited:,} exited")
        if self.causes != (CAUSE,):
            found.append(f"causes are {', '.join(self.causes) or 'none'}, not {CAUSE}")
        if self.took_s > LIVE_S:
            found.append(f"ready only after {self.took_s:.0f} s")
        return found


async def changes(
    log: Log,
    workspace: Workspace,
    analyst: Analyst,
    heard: Heard,
    instant: datetime,
    announced: Callable[[], Awaitable[None]],
) -> list[Late]:
    """Creates the late segment, then edits it. `announced` waits until every transition so far is heard."""
    segment, key = log.late, (log.id, log.late)
    done = []

    async def change(what: str, took_s: float, sql: str, before: tuple[int, int]) -> None:
        await announced()
        members = await asyncio.to_thread(workspace.members, segment)
        recomputed = await asyncio.to_thread(analyst.members, sql, instant)
        done.append(
            Late(
                what,
                took_s,
                heard.entered[key] - before[0],
                heard.exited[key] - before[1],
                tuple(sorted(heard.causes[key])),
                compare(segment, members, heard.members[key], recomputed),
            )
        )

    took_s = await asyncio.to_thread(workspace.create, segment)
    await change("created", took_s, segment, (0, 0))
    before = heard.entered[key], heard.exited[key]
    new = log.definition(log.edited)
    wanted = {name: new[name] for name in ("description", "definition")}
    took_s = await asyncio.to_thread(workspace.edit, segment, wanted)
    await change("edited", took_s, log.edited, before)
    return done
