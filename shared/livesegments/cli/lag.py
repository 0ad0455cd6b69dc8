"""`livesegments lag`: what waits now in every partition, or waited over the last hour."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from livesegments.cli import output, settle
from livesegments.cli.verb import Call, verb
from livesegments.client import operations

UTC = ZoneInfo("UTC")
"""No workspace's: all workspaces share the partitions."""
WAITING = ("due", "outbox", "recounts")
NOW = (*WAITING, "handing")


@verb("stack")
def lag(
    call: Call,
    course: Annotated[
        bool, typer.Option("--course", help="The most that waited in every step of the last hour.")
    ] = False,
) -> None:
    """What waits: records to apply, due times to fire, commits to announce, profiles to count anew."""
    if course:
        _course(call)
        return
    now = settle.read(call.client)
    if call.printed(now):
        return
    rows = [
        (
            each.partition,
            max(0, each.end - each.applied),
            each.due,
            each.outbox,
            each.recounts,
            each.handing,
            output.instant(each.clock, UTC) if each.clock else None,
        )
        for each in now.partitions
    ]
    output.table("", ("partition", "records", *NOW, "clock (UTC)"), rows, numbers=("records", *NOW))
    output.say(f"inbound: {output.count(now.inbound, 'record')} to accept")


def _course(call: Call) -> None:
    found = call.client.ask(operations.lag_course())
    if not call.tabled(found["points"], "nothing was written down yet: the api does that while it runs"):
        return
    names = ("records", *WAITING, "inbound")
    rows = [(output.instant(each["at"], UTC), *(each[name] for name in names)) for each in found["points"]]
    output.table("", ("at (UTC)", *names), rows, numbers=names)
