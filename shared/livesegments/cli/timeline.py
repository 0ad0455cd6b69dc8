"""`livesegments timeline PROFILE`: what happened to a profile, newest first."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

import typer

from livesegments.cli import context, output, paths, zone
from livesegments.cli.client import Client

FIRST = 50
PAGE = 1_000


def timeline(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's id.")],
    event: Annotated[
        str | None, typer.Option("--event", help="Only the event with this id, and what followed from it.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything, not only the newest 50.")] = False,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """A profile's events, changes and transitions, newest first."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        query = {"limit": PAGE if everything else FIRST, **({"event": event} if event is not None else {})}
        moments = client.pages(paths.timeline(profile), "moments", **query)
        found = list(moments if everything else islice(moments, FIRST))
        if as_json:
            for moment in found:
                output.json(moment)
            return
        local = zone.of(client)
    if not found:
        unknown = (
            f"{profile} has no event '{event}': `livesegments timeline {profile}` lists those that it has"
        )
        output.say(unknown if event is not None else f"nothing of {profile} is in the archive")
        return
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
