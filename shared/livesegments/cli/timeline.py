"""`livesegments timeline PROFILE`: what happened to a profile, newest first."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import profiles

FIRST = 50
PAGE = 1_000


@verb()
def timeline(
    call: Call,
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's id.")],
    event: Annotated[
        str | None, typer.Option("--event", help="Only the event with this id, and what followed from it.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything, not only the newest 50.")] = False,
) -> None:
    """A profile's events, changes and transitions, newest first."""
    limit = PAGE if everything else FIRST
    moments = call.client.each(profiles.timeline(profile, event=event, limit=limit))
    found = list(moments if everything else islice(moments, FIRST))
    nothing = f"nothing of {profile} is in the archive"
    if event is not None:
        nothing = (
            f"{profile} has no event '{event}': `livesegments timeline {profile}` lists those that it has"
        )
    if not call.tabled(found, nothing):
        return
    local = call.zone
    output.table(
        f"timeline of {profile}",
        (f"time ({local})", "what", "with", "by", "id"),
        [
            (
                output.instant(moment["time"], local),
                moment["name"],
                output.shown(moment["properties"]) if moment["properties"] else "",
                _by(moment),
                moment["id"],
            )
            for moment in found
        ],
    )


def _by(moment: dict[str, Any]) -> str:
    return " ".join(filter(None, (moment["cause"], moment["event_id"])))
